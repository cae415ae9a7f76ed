/** The class that the nearest codes vote for. */
import type { Counts } from "./counts.ts";

/**
 * Lets the k nearest codes vote. Codes nearer than the k-th have one vote each. Of the t codes at its distance only
 * some, m, are among the k nearest, and none has the better claim: each has the vote m / t, the expectation over all
 * orders of them.
 * @param counts after {@link Counts.count}
 * @param k at least 1; all codes vote when there are not so many
 * @returns the class with the most votes; of classes with equally many the one of the smallest number
 */
export function vote({ all, ofClass, distances, classes }: Counts, k: number): number {
  let last = 0;
  let before = 0;
  while (last < distances - 1 && before + all[last] < k) before += all[last++];
  const ties = all[last];
  const inside = Math.min(k - before, ties);
  let best = 0;
  let most = -1;
  for (let label = 0; label < classes; label++) {
    const first = label * distances;
    let nearer = 0;
    for (let distance = 0; distance < last; distance++) nearer += ofClass[first + distance];
    // All votes times t: as whole numbers, equal ones are equal.
    const votes = nearer * Math.max(1, ties) + ofClass[first + last] * inside;
    if (votes > most) {
      most = votes;
      best = label;
    }
  }
  return best;
}
