/**
 * Maps of vectors in the plane by t-SNE, and how far to trust them. Call {@link startBackend} first.
 *
 * @example
 * const points = { values: vectors.values, rows: vectors.rows, dim: vectors.dim };
 * const { map, kl } = tsne(points, { perplexity: 30, iterations: 1000, seed: 1 });
 * const trust = trustworthiness(points, Float32Array.from(map));
 * @module
 */
export { startBackend } from "../stages/shared/compute/backend.ts";
export type { Descent, DescentResult } from "../stages/tsne/descent.ts";
export { type TsneOptions, tsne } from "../stages/tsne/embed.ts";
export type { Points } from "../stages/tsne/neighbours.ts";
export { TRUSTED_NEIGHBOURS, trustworthiness } from "../stages/tsne/trustworthiness.ts";
