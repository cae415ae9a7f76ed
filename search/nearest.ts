/** The order in which a search answers. */
import { bytesOf, packSigns } from "../stages/shared/artifacts/codes.ts";
import { widen } from "../stages/shared/artifacts/half.ts";
import { directions } from "../stages/shared/artifacts/outputs.ts";
import { CONTENT_BYTES } from "../stages/shared/search-index.ts";
import { Best } from "./best.ts";
import { Contents } from "./contents.ts";
import { Front, TABLES } from "./front.ts";
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

/** Every float16 as a number, by its bits. */
const NUMBERS = widen(Uint16Array.from({ length: 65_536 }, (_, bits) => bits));

/** Finds the nearest images of an index. */
export class Nearest {
  private readonly index: Pick<Index, "codes" | "outputs" | "contents" | "folder">;
  private readonly front: Front;
  private readonly contents: Contents;

  constructor(index: Pick<Index, "codes" | "outputs" | "contents" | "folder">, limits = TABLES) {
    this.index = index;
    this.front = new Front(index.codes, limits);
    this.contents = new Contents(index.contents);
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
        direction: widen(outputs.subarray(row * codes.bits, (row + 1) * codes.bits)),
        content: contents.subarray(row * CONTENT_BYTES, (row + 1) * CONTENT_BYTES),
      },
      wanted,
    );
  }

  private hits({ code, direction, content }: Sought, { top, order, allTies, radius, labels }: Wanted): Hit[] {
    const { bits, labels: own, rows: count } = this.index.codes;
    const same = this.contents.rows(content);
    const most = radius ?? bits;
    // By the outputs, any image may be among the first; by bits, all that are as near as the last of them.
    const first = order === "outputs" ? count : top;
    const { rows, distanceOf, ties } = this.front.near(code, first, most, labels, same);
    const isWanted = (row: number) => !labels || labels.has(own[row]);
    const hit = (row: number): Hit => ({
      row,
      distance: distanceOf(row),
      apart: this.apart(direction, row),
      same: same.has(row),
      ties: ties[distanceOf(row)],
    });
    const best = allTies ? undefined : new Best(top);
    const chosen: number[] = [];
    for (const row of rows) {
      if (!isWanted(row) || same.has(row)) continue;
      if (!best) chosen.push(row);
      else if (order === "outputs") best.offer(row, this.apart(direction, row), distanceOf(row));
      else best.offer(row, distanceOf(row), this.apart(direction, row));
    }
    const hits = [...[...same].filter(isWanted), ...(best?.rows ?? chosen)].map(hit);
    hits.sort(
      (a, b) =>
        Number(b.same) - Number(a.same) ||
        (order === "outputs" ? 0 : a.distance - b.distance) ||
        a.apart - b.apart ||
        a.distance - b.distance ||
        a.row - b.row,
    );
    const last = hits[Math.min(top, hits.length) - 1];
    return hits.filter((one, place) => place < top || (allTies && one.distance === last.distance));
  }

  /** Half the squared distance of two directions, which is 1 - cos and exactly 0 where they are the same. */
  private apart(query: Float32Array, row: number): number {
    const { outputs, codes } = this.index;
    let sum = 0;
    for (let bit = 0, at = row * codes.bits; bit < codes.bits; bit++, at++)
      sum += (query[bit] - NUMBERS[outputs[at]]) ** 2;
    return sum / 2;
  }
}
