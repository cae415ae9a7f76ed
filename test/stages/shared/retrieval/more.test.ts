/** The metrics that may be asked for, against every order of small ties. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MoreMetrics, MoreTally, moreNames } from "../../../../stages/shared/retrieval/more.ts";
import { Tally } from "../../../../stages/shared/retrieval/tally.ts";

const WANTED: MoreMetrics = { mapAt: [1, 2, 3, 5, 9], reciprocal: true, gradedAt: [1, 2, 4, 9] };

/** One order's metrics by their definitions. @param gains labels shared with the query, nearest first */
function ofOrder(gains: number[]): Record<string, number> {
  const total = gains.filter(Boolean).length;
  const precision = (k: number) => gains.slice(0, k).filter(Boolean).length / k;
  const values: Record<string, number> = {};
  for (const k of WANTED.mapAt) {
    const inside = gains.slice(0, k);
    const found = inside.filter(Boolean).length;
    const sum = inside.reduce((sum, gain, i) => sum + (gain ? precision(i + 1) : 0), 0);
    values[`map@${k}`] = found ? sum / found : 0;
    values[`map@${k}_min_r`] = total ? sum / Math.min(total, k) : 0;
  }
  const first = gains.findIndex(Boolean);
  values.mrr = first < 0 ? 0 : 1 / (first + 1);
  const dcg = (order: number[], k: number) =>
    order.slice(0, k).reduce((sum, gain, i) => sum + (2 ** gain - 1) / Math.log2(i + 2), 0);
  const acg = (k: number) =>
    gains.slice(0, k).reduce((sum, gain) => sum + gain, 0) / Math.min(k, gains.length);
  const ideal = gains.toSorted((a, b) => b - a);
  for (const k of WANTED.gradedAt) {
    values[`ndcg@${k}`] = total ? dcg(gains, k) / dcg(ideal, k) : 0;
    values[`acg@${k}`] = acg(k);
  }
  values.wap = total ? gains.reduce((sum, gain, i) => sum + (gain ? acg(i + 1) : 0), 0) / total : 0;
  return values;
}

const orders = (items: number[]): number[][] =>
  items.length < 2
    ? [items]
    : items.flatMap((first, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));

/** The mean over every order of each group. @param groups gains by distance */
function byAllOrders(groups: number[][]): Record<string, number> {
  let rankings: number[][] = [[]];
  for (const group of groups)
    rankings = rankings.flatMap((ranking) => orders(group).map((order) => [...ranking, ...order]));
  const all = rankings.map(ofOrder);
  return Object.fromEntries(
    moreNames(WANTED).map((name) => [name, all.reduce((sum, values) => sum + values[name], 0) / all.length]),
  );
}

function tallied(groups: number[][]): Record<string, number> {
  const gains = groups.flat();
  const own = groups.filter((group) => group.some(Boolean));
  const grades = [0, 1, 2, 3].map((grade) => gains.filter((gain) => gain === grade).length);
  const total = gains.filter(Boolean).length;
  const more = new MoreTally(total, WANTED, {
    shared: own.map((group) => group.reduce((sum, gain) => sum + gain, 0)),
    grown: own.map((group) => group.reduce((sum, gain) => sum + 2 ** gain - 1, 0)),
    grades,
  });
  const tally = new Tally(total, [], more);
  let before = 0;
  for (const group of groups) {
    const hits = group.filter(Boolean).length;
    if (hits) tally.add(before, group.length, hits);
    before += group.length;
  }
  return tally.metrics(before).more!;
}

const gain = fc.integer({ min: 0, max: 3 });
const groups = fc
  .array(fc.array(gain, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })
  .filter((groups) => groups.flat().length <= 8);

describe("MoreTally", () => {
  it("gives the expectation over all orders of ties", () => {
    fc.assert(
      fc.property(groups, (groups) => {
        const expected = byAllOrders(groups);
        const found = tallied(groups);
        for (const name of moreNames(WANTED)) expect(found[name], name).toBeCloseTo(expected[name], 10);
      }),
      { numRuns: 60 },
    );
  });

  it("divides by the relevant found within k, or by min(R, k)", () => {
    // Two relevant of three in all among the first 3 places: precisions 1/2 and 2/3.
    const found = tallied([[0], [1], [1], [0], [0], [1]]);
    expect(found["map@3"]).toBeCloseTo((1 / 2 + 2 / 3) / 2, 12);
    expect(found["map@3_min_r"]).toBeCloseTo((1 / 2 + 2 / 3) / 3, 12);
    expect(found["map@2_min_r"]).toBeCloseTo(1 / 2 / 2, 12);
    expect(found.mrr).toBeCloseTo(1 / 2, 12);
  });

  it("keeps its digits where 1,000 places end inside a tie of 50,000", () => {
    const wanted = { mapAt: [1000], reciprocal: true, gradedAt: [] };
    const more = new MoreTally(5000, wanted);
    more.add({ before: 0, ties: 50_000, hits: 5000, seen: 0 });
    const values = more.values(50_000);
    // Of random orders, an item is relevant in one of ten cases; precisions at hits are a little higher.
    expect(values["map@1000"]).toBeGreaterThan(0.1);
    expect(values["map@1000"]).toBeLessThan(0.11);
    expect(values["map@1000_min_r"]).toBeCloseTo(0.0107, 3);
    expect(values.mrr).toBeCloseTo((0.1 * Math.log(10)) / 0.9, 3);
  });
});
