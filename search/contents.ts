/** Rows by the content of their pixels, see `contentOf` of an index. */
import { CONTENT_BYTES } from "../stages/shared/search-index.ts";

/** A table of contents (or other hashes) by their first bytes, which are as good as drawn at random. */
export class Contents {
  private readonly contents: Uint8Array;
  private readonly width: number;
  /** `[a power of two]`: the last row of each value, plus 1. */
  private readonly heads: Uint32Array;
  /** `[rows]`: the row of the same value before it, plus 1. */
  private readonly before: Uint32Array;

  /** @param contents `[rows, width]` */
  constructor(contents: Uint8Array, width = CONTENT_BYTES) {
    this.contents = contents;
    this.width = width;
    const rows = contents.length / width;
    this.heads = new Uint32Array(2 ** Math.ceil(Math.log2(rows + 1)));
    this.before = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const value = this.valueAt(contents, row * width);
      this.before[row] = this.heads[value];
      this.heads[value] = row + 1;
    }
  }

  private valueAt(bytes: Uint8Array, at: number): number {
    const value = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    return value & (this.heads.length - 1);
  }

  /** The rows with a content: several where an image is there more than once; none for a query without a content. */
  rows(content: Uint8Array): Set<number> {
    return new Set(this.each(content));
  }

  /** One row with a content, first the preferred: not the others, of which an index of copies has as many as images. */
  row(content: Uint8Array, preferred?: number): number | undefined {
    if (preferred !== undefined && this.isAt(preferred, content)) return preferred;
    for (const row of this.each(content)) return row;
    return undefined;
  }

  private *each(content: Uint8Array): Generator<number> {
    if (content.length !== this.width) return;
    for (let next = this.heads[this.valueAt(content, 0)]; next > 0; next = this.before[next - 1])
      if (this.isAt(next - 1, content)) yield next - 1;
  }

  private isAt(row: number, content: Uint8Array): boolean {
    const { width } = this;
    const at = row * width;
    let same = 0;
    while (same < width && this.contents[at + same] === content[same]) same++;
    return same === width;
  }
}
