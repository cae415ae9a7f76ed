/** The order in which a search answers. */
import { bytesOf, packSigns } from "../stages/shared/artifacts/codes.ts";
import { widen } from "../stages/shared/artifacts/half.ts";
import { directions } from "../stages/shared/artifacts/outputs.ts";
import { Scan } from "../stages/shared/retrieval/hamming/scan.ts";
import { CONTENT_BYTES } from "../stages/shared/search-index.ts";
import type { Index } from "./opened.ts";

/** By the bits that differ, and equal ones by the outputs; or by the outputs alone. */
export type Order = "bits" | "outputs";

/** The requested images. */
export interface Wanted {
  /** So many; with `allTies` also all others at the last one's distance. */
  top: number;
  order?: Order;
  allTies?: boolean;
  /** Most bits in which a code may differ. */
  radius?: number;
  /** Labels: images of other classes are passed over. */
  labels?: Set<number>;
}

/** One image that was found. */
export interface Hit {
  row: number;
  /** Bits in which the codes differ. */
  distance: number;
  /** Cosine distance of the outputs, 0 to 2: 0 where they point the same way. */
  apart: number;
  /** Whether its pixels are those of the query. */
  same: boolean;
  /** Images of the index whose codes differ in as many bits, this one too. */
  ties: number;
}

/** A query of a search. */
interface Sought {
  /** `[bytesOf(bits)]` */
  code: Uint8Array;
  /** `[bits]`, see {@link directions}. */
  direction: Float32Array;
  /** See {@link contentOf}. */
  content: Uint8Array;
}

/** Rows with this content: several where an image is there more than once; none for a query without. */
function rowsWith(contents: Uint8Array, content: Uint8Array): Set<number> {
  const rows = new Set<number>();
  if (content.length !== CONTENT_BYTES) return rows;
  for (let row = 0, at = 0; at < contents.length; row++, at += CONTENT_BYTES) {
    let same = 0;
    while (same < CONTENT_BYTES && contents[at + same] === content[same]) same++;
    if (same === CONTENT_BYTES) rows.add(row);
  }
  return rows;
}

/** Finds the nearest images of an index. */
export class Nearest {
  private readonly index: Pick<Index, "codes" | "outputs" | "contents" | "folder">;
  private readonly scan: Scan;

  constructor(index: Pick<Index, "codes" | "outputs" | "contents" | "folder">) {
    this.index = index;
    this.scan = new Scan(index.codes.values, index.codes.bits);
  }

  /**
   * The images nearest to a query. An image with the query's very pixels comes first, in spite of rounding of its
   * bits, at any radius. Then, by `bits`, the code that differs in the fewest; equal ones by the cosine
   * distance of the outputs.
   * @param outputs `[bits]` of the query, as the encoder makes them
   * @param content of the query's pixels
   * @throws UserError when an output is not finite
   */
  find(outputs: Float32Array, content: Uint8Array, wanted: Wanted): Hit[] {
    const { codes, folder } = this.index;
    const direction = widen(directions(outputs, codes.bits, folder));
    return this.hits({ code: packSigns(outputs, codes.bits), direction, content }, wanted);
  }

  /** The images nearest to one of the index, see {@link find}. */
  like(row: number, wanted: Wanted): Hit[] {
    const { codes, outputs, contents } = this.index;
    const bytes = bytesOf(codes.bits);
    return this.hits(
      {
        code: codes.values.subarray(row * bytes, (row + 1) * bytes),
        direction: outputs.subarray(row * codes.bits, (row + 1) * codes.bits),
        content: contents.subarray(row * CONTENT_BYTES, (row + 1) * CONTENT_BYTES),
      },
      wanted,
    );
  }

  private hits(
    { code, direction, content }: Sought,
    { top, order = "bits", allTies = false, radius, labels }: Wanted,
  ): Hit[] {
    const { codes, contents } = this.index;
    const { rows, distances } = this.scan.nearest(code, codes.rows);
    const ties = new Uint32Array(codes.bits + 1);
    for (const distance of distances) ties[distance]++;
    const same = rowsWith(contents, content);
    const most = radius ?? codes.bits;
    const hits: Hit[] = [];
    // All images that may be among the first: by bits, all as near as the last of them. Their outputs are compared.
    let limit = most;
    let taken = 0;
    for (const [place, row] of rows.entries()) {
      if (labels && !labels.has(codes.labels[row])) continue;
      const distance = distances[place];
      if (order === "bits" && ++taken === top) limit = Math.min(most, distance);
      if (distance > limit && !same.has(row)) continue;
      hits.push({
        row,
        distance,
        apart: this.apart(direction, row),
        same: same.has(row),
        ties: ties[distance],
      });
    }
    hits.sort(
      (a, b) =>
        Number(b.same) - Number(a.same) ||
        (order === "bits" ? a.distance - b.distance : 0) ||
        a.apart - b.apart ||
        a.distance - b.distance ||
        a.row - b.row,
    );
    const last = hits[Math.min(top, hits.length) - 1];
    return hits.filter((hit, place) => place < top || (allTies && hit.distance === last.distance));
  }

  /** Half the squared distance of two directions, which is 1 - cos and exactly 0 where they are the same. */
  private apart(query: Float32Array, row: number): number {
    const { outputs, codes } = this.index;
    let sum = 0;
    for (let bit = 0, at = row * codes.bits; bit < codes.bits; bit++, at++)
      sum += (query[bit] - outputs[at]) ** 2;
    return sum / 2;
  }
}
