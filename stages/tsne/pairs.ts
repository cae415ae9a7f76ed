/** Repulsion by every pair of points. */
import { PAGE } from "../shared/compute/assembler.ts";
import { pairsIn } from "./pairs-kernel.ts";

/**
 * Computes the repulsion of a map.
 * @param map `[points, 2]`
 * @param forces `[points, 2]`, overwritten
 * @returns Z, the sum over all ordered pairs of 1 / (1 + d²)
 */
export type Repulsion = (map: Float64Array, forces: Float64Array) => number;

/** Bytes of a point. */
const POINT = 16;

/** A {@link Repulsion}, exact, of at most so many points; O(points²). */
export function exactRepulsion(points: number): Repulsion {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((2 * POINT * points) / PAGE) || 1 });
  const repel = pairsIn(memory);
  if (!repel) return plainRepulsion;
  return (map, forces) => {
    const [places, sums] = [0, POINT * points].map((at) => new Float64Array(memory.buffer, at, map.length));
    places.set(map);
    sums.fill(0);
    const total = map.length > 2 ? repel(0, POINT * points, map.length / 2) : 0;
    forces.set(sums);
    return 2 * total;
  };
}

/** The same in JavaScript, for an engine without vectors. */
export function plainRepulsion(map: Float64Array, forces: Float64Array): number {
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
