/** Codes inferred from triplets, bit by bit: a binary quadratic problem each. */
import type { Random } from "../../shared/compute/random.ts";
import { checkRoom } from "./targets.ts";

/** Starts of the local search for one bit; the best end is taken. */
const STARTS = 10;
/** A flip that gains less is rounding. */
const LEAST_GAIN = 1e-9;

/**
 * A code a class, out of the triplets of classes: the anchor's and the positive's codes are one, so a triplet's loss
 * exp(d(a,p) - d(a,n)) is exp(-d(a,n)), with d the Hamming distance of the bits so far. The next bit z in {-1, 1}
 * of each class minimises Σ_an exp(-d(a,n)) z_a z_n, the loss that is left up to a constant and a factor.
 * @returns `[classes, bits]`, -1 or 1
 * @throws UserError when there are more classes than codes
 */
export function inferCodes(classes: number, bits: number, random: Random): Int8Array {
  checkRoom(classes, bits);
  const codes = new Int8Array(classes * bits);
  const distances = new Float64Array(classes * classes);
  for (let bit = 0; bit < bits; bit++) {
    const solution = solve(weightsOf(distances, classes), classes, random);
    for (let a = 0; a < classes; a++) {
      codes[a * bits + bit] = solution[a];
      for (let n = 0; n < classes; n++) distances[a * classes + n] += Number(solution[a] !== solution[n]);
    }
  }
  return codes;
}

/** exp(-distance), with the least distance of two classes as 0, so that no bit of a long code finds only zeros. */
function weightsOf(distances: Float64Array, classes: number): Float64Array {
  const apart = (at: number) => at % classes !== Math.floor(at / classes);
  const least = distances.reduce(
    (low, d, at) => (apart(at) ? Math.min(low, d) : low),
    Number.POSITIVE_INFINITY,
  );
  return distances.map((d, at) => (apart(at) ? Math.exp(least - d) : 0));
}

/**
 * Minimises Σ_ij weights_ij z_i z_j over z in {-1, 1}: from random starts, the variable whose flip gains most is
 * flipped, or where none gains the pair whose flip does, until there is none.
 * @param weights `[size, size]`, symmetric, zero on the diagonal
 */
export function solve(weights: Float64Array, size: number, random: Random): Int8Array {
  let best = new Int8Array(size);
  let least = Number.POSITIVE_INFINITY;
  for (let start = 0; start < STARTS; start++) {
    const z = Int8Array.from({ length: size }, () => random.int(2) * 2 - 1);
    // z_i Σ_j weights_ij z_j: a flip of z_i lowers the sum by four times that.
    const gains = Float64Array.from(z, (own, i) => {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += weights[i * size + j] * z[j];
      return own * sum;
    });
    const flip = (i: number) => {
      z[i] = -z[i];
      gains[i] = -gains[i];
      for (let j = 0; j < size; j++) if (j !== i) gains[j] += 2 * weights[i * size + j] * z[i] * z[j];
    };
    for (let moved: number[] = []; ; moved.forEach(flip)) {
      moved = bestFlip(gains) ?? bestPair(weights, gains, z) ?? [];
      if (moved.length === 0) break;
    }
    const value = gains.reduce((sum, gain) => sum + gain, 0);
    if (value >= least) continue;
    least = value;
    best = z;
  }
  return best;
}

/** The variable whose flip gains most; undefined where none gains. */
function bestFlip(gains: Float64Array): number[] | undefined {
  let most = 0;
  for (let i = 1; i < gains.length; i++) if (gains[i] > gains[most]) most = i;
  return gains[most] > LEAST_GAIN ? [most] : undefined;
}

/** The two variables whose flips together gain most: the variables between them stay as they were. */
function bestPair(weights: Float64Array, gains: Float64Array, z: Int8Array): number[] | undefined {
  const size = z.length;
  let most = LEAST_GAIN;
  let pair: number[] | undefined;
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const gain = gains[i] + gains[j] - 2 * weights[i * size + j] * z[i] * z[j];
      if (gain <= most) continue;
      most = gain;
      pair = [i, j];
    }
  return pair;
}
