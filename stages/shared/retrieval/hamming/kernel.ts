/** The inner loops over codes: distances of a query, counts by distance, rows within a distance. */

/**
 * Works on one memory; all places are byte addresses in it. Codes lie there in blocks of 16, byte by byte: byte 0 of
 * 16 codes, byte 1 of these 16, and so on, so that one vector holds the same byte of 16 codes and any code length
 * takes exactly its bytes. Distances are Uint16.
 */
export interface Kernel {
  /** Vectors of WebAssembly, or plain TypeScript on a machine without them. */
  engine: "wasm-simd" | "plain";
  buffer: ArrayBuffer;
  /**
   * Hamming distances of one query to `[16 * blocks]` codes.
   * @param query its bytes; @param codes aligned to 16; @param out aligned to 16; @param blocks at least 1
   */
  distances(query: number, codes: number, out: number, blocks: number): void;
  /**
   * Adds distances to counters, Uint32 `[distance, 4]`: consecutive items count in different lanes, since adding to
   * a number that was just written has to wait for it. The count of a distance is the sum of its four.
   * @param at of the first distance; @param items how many; @param counters aligned to 4
   */
  count(at: number, items: number, counters: number): void;
  /**
   * Writes the places (0, 1, …) of all distances up to `limit`, rising, as Uint32.
   * @param at of the first distance; @param eights how many eights of them, at least 1
   * @param limit 0 to 65535; @param out aligned to 4
   * @returns the address behind the last place written
   */
  select(at: number, eights: number, limit: number, out: number): number;
}
