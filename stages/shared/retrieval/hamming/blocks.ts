/** Codes where the kernel finds them, and what it works with. */
import { UserError } from "../../../../runner/stage.ts";
import { bytesOf } from "../../artifacts/codes.ts";
import { createKernel } from "./engine.ts";
import type { Kernel } from "./kernel.ts";

/** Codes of one block; see {@link Kernel}. */
const LANES = 16;
/** Bytes of the longest code: room for a query. */
const QUERY = 64;
/** The distance of the padding behind the last code: farther than any. */
const NOWHERE = 0xffff;
const roundUp = (bytes: number) => Math.ceil(bytes / LANES) * LANES;

/** @throws UserError when a query has not the bytes of a code */
export function checkQuery(query: Uint8Array, bits: number): void {
  if (query.length !== bytesOf(bits))
    throw new UserError(
      `a query of ${query.length} bytes cannot be held against codes of ${bits} bits, which take ${bytesOf(bits)}. ` +
        "Encode it with the model that made the codes.",
    );
}

/** Codes that a query can be held against. */
export class Blocks {
  readonly kernel: Kernel;
  readonly rows: number;
  readonly bits: number;
  readonly bytes: number;
  /** Address of the distances, Uint16 `[rows]`; behind them, up to a multiple of 8, are ones beyond any limit. */
  readonly distances: number;
  /** Address of the room that was asked for. */
  readonly room: number;
  /** The distances that {@link measure} wrote last. */
  readonly values: Uint16Array;
  private readonly codes: number;
  private readonly query: Uint8Array;
  private readonly padding: Uint16Array;

  /**
   * @param codes `[rows, bytesOf(bits)]`, as {@link packSigns} packs them
   * @param order `[rows]`: the code at each place; their own order unless given
   * @param room bytes of the kernel's memory for the caller
   * @throws UserError when there is no code
   */
  constructor(codes: Uint8Array, bits: number, order?: Uint32Array, room = 0, engine?: Kernel["engine"]) {
    const bytes = bytesOf(bits);
    const rows = codes.length / bytes;
    if (rows === 0) throw new UserError("there are no codes to search: the database is empty.");
    const blocks = Math.ceil(rows / LANES);
    this.bits = bits;
    this.bytes = bytes;
    this.rows = rows;
    this.codes = QUERY;
    this.distances = QUERY + blocks * LANES * bytes;
    this.room = roundUp(this.distances + 2 * LANES * blocks);
    this.kernel = createKernel(bytes, this.room + room, engine);
    const { buffer } = this.kernel;
    this.query = new Uint8Array(buffer, 0, bytes);
    this.values = new Uint16Array(buffer, this.distances, rows);
    this.padding = new Uint16Array(buffer, this.distances + 2 * rows, blocks * LANES - rows);
    const octets = new Uint8Array(buffer, this.codes);
    for (let place = 0; place < rows; place++) {
      const from = bytes * (order ? order[place] : place);
      const to = Math.floor(place / LANES) * LANES * bytes + (place % LANES);
      for (let byte = 0; byte < bytes; byte++) octets[to + LANES * byte] = codes[from + byte];
    }
  }

  /**
   * The distances of one query to all codes.
   * @param query `[bytes]`
   * @returns `[rows]`, in the order of the blocks, valid until the next call
   * @throws UserError when the query has other bytes
   */
  measure(query: Uint8Array): Uint16Array {
    const { kernel, codes, distances, rows, padding } = this;
    checkQuery(query, this.bits);
    this.query.set(query);
    kernel.distances(0, codes, distances, Math.ceil(rows / LANES));
    padding.fill(NOWHERE);
    return this.values;
  }
}
