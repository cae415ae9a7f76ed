/** Repulsion by every pair of points. */

/**
 * Computes the repulsion of a map.
 * @param map `[points, 2]`
 * @param forces `[points, 2]`, overwritten
 * @returns Z, the sum over all ordered pairs of 1 / (1 + d²)
 */
export type Repulsion = (map: Float64Array, forces: Float64Array) => number;

/** A {@link Repulsion}, exact; O(points²). */
export function exactRepulsion(map: Float64Array, forces: Float64Array): number {
  forces.fill(0);
  let total = 0;
  for (let i = 0; i < map.length; i += 2) {
    const x = map[i];
    const y = map[i + 1];
    let forceX = 0;
    let forceY = 0;
    for (let j = i + 2; j < map.length; j += 2) {
      const dx = x - map[j];
      const dy = y - map[j + 1];
      const q = 1 / (1 + dx * dx + dy * dy);
      total += q;
      forceX += q * q * dx;
      forceY += q * q * dy;
      forces[j] -= q * q * dx;
      forces[j + 1] -= q * q * dy;
    }
    forces[i] += forceX;
    forces[i + 1] += forceY;
  }
  return 2 * total;
}
