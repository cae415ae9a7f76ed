/** The gradient of t-SNE: neighbours attract, everything repels. */
import type { Affinities } from "./affinities.ts";
import type { Repulsion } from "./pairs.ts";

/**
 * The attraction alone: `[points, 2]`, for each point the sum of p(i,j) (y_i - y_j) / (1 + d²)
 * (van der Maaten 2014, eq. 8).
 */
export function attraction(
  { starts, columns, values }: Affinities,
  map: Float64Array,
  out: Float64Array,
): void {
  for (let row = 0; row < starts.length - 1; row++) {
    const x = map[2 * row];
    const y = map[2 * row + 1];
    let forceX = 0;
    let forceY = 0;
    for (let at = starts[row]; at < starts[row + 1]; at++) {
      const other = 2 * columns[at];
      const dx = x - map[other];
      const dy = y - map[other + 1];
      const pull = values[at] / (1 + dx * dx + dy * dy);
      forceX += pull * dx;
      forceY += pull * dy;
    }
    out[2 * row] = forceX;
    out[2 * row + 1] = forceY;
  }
}

/**
 * The gradient of KL(P || Q): 4 (exaggeration * attraction - repulsion / Z).
 * @param forces scratch `[points, 2]`
 * @param out `[points, 2]`
 * @returns Z, the sum over all pairs of 1 / (1 + d²)
 */
export function gradient(
  affinities: Affinities,
  repel: Repulsion,
  map: Float64Array,
  exaggeration: number,
  forces: Float64Array,
  out: Float64Array,
): number {
  const total = repel(map, forces);
  attraction(affinities, map, out);
  for (let i = 0; i < out.length; i++) out[i] = 4 * (exaggeration * out[i] - forces[i] / total);
  return total;
}

/** KL(P || Q) of a map, in nats, with the sum Z that {@link gradient} returned for it. */
export function divergence(
  { starts, columns, values }: Affinities,
  map: Float64Array,
  total: number,
): number {
  let sum = 0;
  for (let row = 0; row < starts.length - 1; row++)
    for (let at = starts[row]; at < starts[row + 1]; at++) {
      const dx = map[2 * row] - map[2 * columns[at]];
      const dy = map[2 * row + 1] - map[2 * columns[at] + 1];
      if (values[at] > 0) sum += values[at] * Math.log(values[at] * (1 + dx * dx + dy * dy) * total);
    }
  return sum;
}
