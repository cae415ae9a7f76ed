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
    const rows = new Set<number>();
    const { width } = this;
    if (content.length !== width) return rows;
    for (let next = this.heads[this.valueAt(content, 0)]; next > 0; next = this.before[next - 1]) {
      const at = (next - 1) * width;
      let same = 0;
      while (same < width && this.contents[at + same] === content[same]) same++;
      if (same === width) rows.add(next - 1);
    }
    return rows;
  }
}
