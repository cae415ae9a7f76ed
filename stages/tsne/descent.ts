/** Gradient descent on a map, with momentum and a gain for each coordinate, as scikit-learn does it. */
import type { Affinities } from "./affinities.ts";
import { divergence, gradient } from "./gradient.ts";
import type { Repulsion } from "./pairs.ts";
import { repulsionOf } from "./repulsion.ts";

/** The first phase pulls clusters together (van der Maaten & Hinton 2008, sec. 3.4). */
const EXAGGERATION = 12;
const EARLY_ITERATIONS = 250;
/** How often the end of the descent is looked for. */
const CHECK_EVERY = 50;

export interface Descent {
  /** In all, the first 250 with exaggerated affinities. */
  iterations: number;
  /** Instead of the faster way for the number of points. */
  repulsion?: Repulsion;
  /** The descent ends early when the length of the gradient is below this. */
  smallestGradient?: number;
  progress?(done: number, total: number): void;
  signal?: AbortSignal;
}

/** A finished map. */
export interface DescentResult {
  /** KL(P || Q) in nats. */
  kl: number;
  /** Iterations that were run. */
  iterations: number;
}

/**
 * Moves `map` `[points, 2]` down the gradient, in place. Learning rate max(n / 12 / 4, 50)
 * (Belkina et al. 2019, as scikit-learn's "auto"), momentum 0.5 then 0.8, gains + 0.2 / * 0.8 at least 0.01
 * (Jacobs 1988).
 */
export function descend(affinities: Affinities, map: Float64Array, options: Descent): DescentResult {
  const { iterations, smallestGradient = 1e-7, progress, signal } = options;
  const points = map.length / 2;
  const repel = options.repulsion ?? repulsionOf(points);
  const rate = Math.max(points / EXAGGERATION / 4, 50);
  const forces = new Float64Array(map.length);
  const slope = new Float64Array(map.length);
  const update = new Float64Array(map.length);
  const gains = new Float64Array(map.length).fill(1);
  let done = 0;
  while (done < iterations) {
    signal?.throwIfAborted();
    const early = done < EARLY_ITERATIONS;
    if (done === EARLY_ITERATIONS) {
      update.fill(0);
      gains.fill(1);
    }
    const momentum = early ? 0.5 : 0.8;
    gradient(affinities, repel, map, early ? EXAGGERATION : 1, forces, slope);
    for (let i = 0; i < map.length; i++) {
      gains[i] = update[i] * slope[i] < 0 ? gains[i] + 0.2 : Math.max(0.01, gains[i] * 0.8);
      update[i] = momentum * update[i] - rate * gains[i] * slope[i];
      map[i] += update[i];
    }
    done++;
    progress?.(done, iterations);
    if (!early && done % CHECK_EVERY === 0) {
      let squares = 0;
      for (const value of slope) squares += value * value;
      if (Math.sqrt(squares) < smallestGradient) break;
    }
  }
  const total = gradient(affinities, repel, map, 1, forces, slope);
  return { kl: divergence(affinities, map, total), iterations: done };
}
