/** Vectors in a file: the features of a million images take gigabytes. */
import { closeSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { narrow, widen } from "../../stages/shared/artifacts/half.ts";

/** Vectors of {@link Spill.blocks}: a multiple of those of one product of `project`, so that its results are the same. */
const BLOCK = 4000;
/** Bytes of a float16. */
const HALF = 2;

/** Vectors of float16 in a temporary file. */
export class Spill {
  dim = 0;
  rows = 0;
  private readonly path: string;
  private readonly file: number;

  constructor(path: string) {
    this.path = path;
    this.file = openSync(path, "w+");
  }

  /** Appends vectors. @param values `[count, dim]`, each rounded to float16 already */
  add(values: Float32Array, count: number): void {
    this.dim = values.length / count;
    const halves = narrow(values);
    writeFileSync(this.file, new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength));
    this.rows += count;
  }

  /** Vectors in a row, `[count, dim]`. */
  private read(first: number, count: number): Float32Array {
    const halves = new Uint16Array(count * this.dim);
    const bytes = new Uint8Array(halves.buffer);
    const from = first * this.dim * HALF;
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.file, bytes, done, bytes.length - done, from + done);
      if (read === 0) throw new Error(`${this.path}: truncated`);
      done += read;
    }
    return widen(halves);
  }

  /** Some vectors. @param rows which, rising @returns `[rows, dim]` */
  pick(rows: Uint32Array): Float32Array {
    const { dim } = this;
    const picked = new Float32Array(rows.length * dim);
    let at = 0;
    for (let first = 0; first < this.rows; first += BLOCK) {
      const count = Math.min(BLOCK, this.rows - first);
      if (!(rows[at] < first + count)) continue;
      const block = this.read(first, count);
      for (; at < rows.length && rows[at] < first + count; at++) {
        const from = (rows[at] - first) * dim;
        picked.set(block.subarray(from, from + dim), at * dim);
      }
    }
    return picked;
  }

  /** All vectors, block by block. */
  *blocks(): Generator<Float32Array> {
    for (let first = 0; first < this.rows; first += BLOCK)
      yield this.read(first, Math.min(BLOCK, this.rows - first));
  }

  /** Removes the file. */
  close(): void {
    closeSync(this.file);
    rmSync(this.path, { force: true });
  }
}
