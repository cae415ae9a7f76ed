/** The metrics of a ranking in the plainest way: all items are sorted, and each group of equal distances added up. */
import { sumOverPlaces } from "../../../../stages/shared/retrieval/harmonic.ts";

/** As of `Ranking.metrics`: the same sums in the same order, so that every bit can be compared. */
export function plainMetrics(
  distances: Float32Array,
  labels: Uint16Array,
  label: number,
  at: number[],
  skip = -1,
) {
  const order = [...distances.keys()].filter((item) => item !== skip);
  order.sort((a, b) => distances[a] - distances[b]);
  const total = order.filter((item) => labels[item] === label).length;
  const [precisionAt, recallAt] = [at.map(() => 0), at.map(() => 0)];
  let [sum, sumToR, rPrecision, seen] = [0, 0, 0, 0];
  for (let before = 0, end = 0; before < order.length; before = end) {
    while (end < order.length && distances[order[end]] === distances[order[before]]) end++;
    const ties = end - before;
    const hits = order.slice(before, end).filter((item) => labels[item] === label).length;
    if (hits === 0) continue;
    for (const [index, k] of at.entries()) {
      if (k <= before) continue;
      const inside = Math.min(k - before, ties);
      precisionAt[index] += (hits * inside) / ties;
      let none = 1;
      for (let i = 0; i < inside; i++) none *= Math.max(0, ties - hits - i) / (ties - i);
      if (recallAt[index] < 1) recallAt[index] = seen > 0 ? 1 : 1 - none;
    }
    const slope = ties > 1 ? (hits - 1) / (ties - 1) : 0;
    const inside = Math.min(ties, total - before);
    sum += (hits / ties) * sumOverPlaces(seen + 1, slope, before, ties);
    if (inside > 0) {
      sumToR += (hits / ties) * sumOverPlaces(seen + 1, slope, before, inside);
      rPrecision += (hits / ties) * inside;
    }
    seen += hits;
  }
  return {
    map: total ? sum / total : 0,
    r_precision: total ? rPrecision / total : 0,
    map_at_r: total ? sumToR / total : 0,
    precisionAt: precisionAt.map((count, index) => count / Math.min(at[index], order.length)),
    recallAt,
  };
}
