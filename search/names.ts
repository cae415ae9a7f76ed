/** The names of an index's images. */

/** Texts in one buffer: a million of them as values of JavaScript would make each collection of garbage take 0.1 s. */
export class Names {
  readonly length: number;
  private readonly bytes: Buffer;
  /** `[length + 1]`: where each begins. */
  private readonly starts: Uint32Array;

  constructor(names: string[]) {
    this.length = names.length;
    this.starts = new Uint32Array(names.length + 1);
    for (const [row, name] of names.entries())
      this.starts[row + 1] = this.starts[row] + Buffer.byteLength(name);
    this.bytes = Buffer.alloc(this.starts[names.length]);
    for (const [row, name] of names.entries()) this.bytes.write(name, this.starts[row]);
  }

  /** @param row 0 to {@link length} - 1 */
  at(row: number): string {
    return this.bytes.toString("utf8", this.starts[row], this.starts[row + 1]);
  }

  *[Symbol.iterator](): Generator<string> {
    for (let row = 0; row < this.length; row++) yield this.at(row);
  }
}
