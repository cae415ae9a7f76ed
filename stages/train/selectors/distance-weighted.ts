/**
 * For each positive pair, a random negative drawn evenly over distances.
 *
 * A negative at the distance d has the weight 1 / q(d), where q is the density of distances between random points of
 * the unit sphere of dim dimensions.
 *
 * @equation
 * P(n) ∝ 1 / q(|a-n|),  q(d) = d^(dim-2) (1 - d²/4)^((dim-3)/2)
 * @when Negatives of all distances should train, and the embeddings are on the unit sphere (`facenet`).
 * @source Wu, Manmatha, Smola & Krähenbühl 2017, "Sampling matters in deep embedding learning", equations 3 and 4
 */
import { forEachPositivePair, tripletSelector } from "../selector.ts";

export default tripletSelector({
  params: {
    nearest: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 2,
      default: 0.5,
      description: "nearer negatives count as if they were at this distance",
    },
    farthest: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 2,
      default: 1.4,
      description: "negatives at this distance or farther are not drawn: they have no loss",
    },
  },
  select(batch, _margin, random, { nearest, farthest }) {
    const low = nearest ** 2;
    const high = farthest ** 2;
    const sums = new Float64Array(batch.size);
    return forEachPositivePair(batch, (near) => {
      weigh(near, low, high, batch.dim, sums);
      let total = 0;
      for (let k = 0; k < near.length; k++) {
        total += sums[k];
        sums[k] = total;
      }
      return () => {
        if (total === 0) return -1;
        const drawn = random.float() * total;
        let place = 0;
        while (sums[place] <= drawn) place++;
        return place;
      };
    });
  },
});

/** The weights of the negatives, the largest 1. @param weights the first `near.length` are written */
function weigh(near: Float32Array, low: number, high: number, dim: number, weights: Float64Array): void {
  // -log q of the squared distance s; the root of s(1 - s/4)^..., so that one logarithm does for both factors.
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < near.length; k++) {
    const s = Math.max(near[k], low);
    weights[k] =
      s < high ? -((dim - 3) * Math.log(s * (1 - s / 4)) + Math.log(s)) / 2 : Number.NEGATIVE_INFINITY;
    most = Math.max(most, weights[k]);
  }
  for (let k = 0; k < near.length; k++)
    weights[k] = weights[k] > Number.NEGATIVE_INFINITY ? Math.exp(weights[k] - most) : 0;
}
