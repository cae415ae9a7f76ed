/**
 * Binary codes: packed from the signs of real values, searched exactly by Hamming distance, and measured. On vectors of
 * WebAssembly where the machine has them; the answers are the same without.
 *
 * @example
 * const codes = packSigns(values, 64);
 * const { rows, distances } = new Scan(codes, 64).nearest(packSigns(query, 64), 10);
 * @module
 */
export { bytesOf, MOST_BITS, packSigns } from "../stages/shared/artifacts/codes.ts";
export { Counts } from "../stages/shared/retrieval/hamming/counts.ts";
export { engineHere } from "../stages/shared/retrieval/hamming/engine.ts";
export {
  type CodeMetrics,
  metricsOfCounts,
  NEAR_RADIUS,
} from "../stages/shared/retrieval/hamming/metrics.ts";
export { MultiIndex } from "../stages/shared/retrieval/hamming/multi-index.ts";
export type { Neighbours } from "../stages/shared/retrieval/hamming/neighbours.ts";
export { Scan } from "../stages/shared/retrieval/hamming/scan.ts";
