import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { engineHere } from "../../../../stages/shared/retrieval/counter.ts";
import { Ranking } from "../../../../stages/shared/retrieval/ranking.ts";
import { plainMetrics } from "./plain-ranking.ts";

/** The metrics by trying every order of the ties: slow, and nothing to get wrong. */
function byAllOrders(distances: number[], relevant: boolean[], at: number[]) {
  const groups = [...new Set(distances)]
    .sort((a, b) => a - b)
    .map((distance) => distances.flatMap((own, i) => (own === distance ? [relevant[i]] : [])));
  const orders = (items: boolean[]): boolean[][] =>
    items.length < 2
      ? [items]
      : items.flatMap((first, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));
  let rankings: boolean[][] = [[]];
  for (const group of groups)
    rankings = rankings.flatMap((ranking) => orders(group).map((order) => [...ranking, ...order]));
  const total = relevant.filter(Boolean).length;
  const mean = (of: (ranking: boolean[]) => number) =>
    rankings.reduce((sum, ranking) => sum + of(ranking), 0) / rankings.length;
  const precision = (ranking: boolean[], k: number) =>
    ranking.slice(0, k).filter(Boolean).length / Math.min(k, ranking.length);
  const averagePrecision = (ranking: boolean[], first: number) =>
    ranking.reduce((sum, hit, i) => sum + (hit && i < first ? precision(ranking, i + 1) : 0), 0) / total;
  return {
    map: total ? mean((ranking) => averagePrecision(ranking, ranking.length)) : 0,
    r_precision: total ? mean((ranking) => precision(ranking, total)) : 0,
    map_at_r: total ? mean((ranking) => averagePrecision(ranking, total)) : 0,
    precisionAt: at.map((k) => mean((ranking) => precision(ranking, k))),
    recallAt: at.map((k) => mean((ranking) => (ranking.slice(0, k).some(Boolean) ? 1 : 0))),
  };
}

const AT = [1, 3, 10];
const ranked = fc
  .array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 2 })), {
    minLength: 1,
    maxLength: 7,
  })
  .map((items) => ({
    distances: items.map(([distance]) => distance),
    labels: items.map(([, label]) => label),
  }));

describe("Ranking", () => {
  it("gives the expectation over all orders of ties", () => {
    fc.assert(
      fc.property(ranked, fc.integer({ min: 0, max: 2 }), ({ distances, labels }, label) => {
        const found = new Ranking(Uint16Array.from(labels), 3).metrics(
          Float32Array.from(distances),
          label,
          AT,
        );
        const expected = byAllOrders(
          distances,
          labels.map((own) => own === label),
          AT,
        );
        for (const name of ["map", "r_precision", "map_at_r"] as const)
          expect(found[name]).toBeCloseTo(expected[name], 10);
        for (const name of ["precisionAt", "recallAt"] as const)
          for (const [i, value] of expected[name].entries()) expect(found[name][i]).toBeCloseTo(value, 10);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves the skipped item out, as if it were not there", () => {
    fc.assert(
      fc.property(ranked, fc.nat(), ({ distances, labels }, at) => {
        fc.pre(labels.length > 1);
        const skip = at % labels.length;
        const without = <T>(list: T[]) => list.filter((_, i) => i !== skip);
        const whole = new Ranking(Uint16Array.from(labels), 3);
        const fewer = new Ranking(Uint16Array.from(without(labels)), 3);
        const rest = Float32Array.from(without(distances));
        for (let label = 0; label < 3; label++)
          expect(whole.metrics(Float32Array.from(distances), label, AT, skip)).toEqual(
            fewer.metrics(rest, label, AT),
          );
        const named = [...whole.nearest(Float32Array.from(distances), 4, skip)];
        expect(named.map((item) => (item > skip ? item - 1 : item))).toEqual([...fewer.nearest(rest, 4)]);
      }),
    );
  });

  it("finds the nearest as a stable sort does, and lets them vote", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (values, k) => {
          const distances = Float32Array.from(values);
          const ranking = new Ranking(
            Uint16Array.from(values, (_, i) => i % 3),
            3,
          );
          const sorted = values.map((_, i) => i).sort((a, b) => distances[a] - distances[b] || a - b);
          const nearest = ranking.nearest(distances, k);
          expect([...nearest]).toEqual(sorted.slice(0, k));
          const votes = [0, 1, 2].map((label) => [...nearest].filter((item) => item % 3 === label).length);
          expect(ranking.vote(nearest)).toBe(votes.indexOf(Math.max(...votes)));
        },
      ),
    );
  });

  it("does not slow down or err where distances lie in tight clusters", () => {
    const items = 20_000;
    const labels = Uint16Array.from({ length: items }, (_, i) => i % 10);
    // One far item stretches the buckets; all others fall into one.
    const distances = Float32Array.from(labels, (label, i) =>
      i === items - 1 ? 1e6 : label * 1e-6 + i * 1e-9,
    );
    const started = performance.now();
    const { map } = new Ranking(labels, 10).metrics(distances, 0, []);
    expect(performance.now() - started).toBeLessThan(2000);
    const order = [...labels.keys()].sort((a, b) => distances[a] - distances[b]);
    let hits = 0;
    let sum = 0;
    for (const [place, item] of order.entries()) if (labels[item] === 0) sum += ++hits / (place + 1);
    expect(map).toBeCloseTo(sum / hits, 2);
  });

  /** Products of which the distances are, at lengths of 0: `-2 p`. */
  const productsOf = (distances: Float32Array) => distances.map((distance) => distance / -2);
  const random = (seed: number) => () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const far = (value: number, next: () => number) => (next() < 0.01 ? value * 1e30 : value);
  const KINDS: Record<string, (next: () => number, label: number) => number> = {
    "no ties": (next) => next(),
    "many ties": (next) => Math.floor(next() * 40) / 8 - 2,
    "one distance": () => 0.25,
    "relevant ones at one distance": (next, label) => (label === 0 ? 0.5 : next()),
    "relevant ones close together": (next, label) => (label === 0 ? 0.5 + next() * 1e-7 : next() * 2 - 0.5),
    "relevant ones all behind": (next, label) => (label === 0 ? 2 : 1) + next(),
    "relevant ones all before": (next, label) => (label === 0 ? 1 : 2) + next(),
    "others far away": (next, label) => (label === 0 ? next() : far(next() - 0.5, next)),
    "a few far relevant ones": (next) => far(next() - 0.5, next),
    "others without a number": (next, label) =>
      label !== 0 && next() < 0.1 ? Number.POSITIVE_INFINITY : next(),
  };
  for (const [kind, draw] of Object.entries(KINDS))
    it(`gives the bits of a plain sort: ${kind}`, () => {
      const next = random(7);
      for (const items of [1, 2, 3, 7, 50, 333, 2000]) {
        // Class 1 has one item in a hundred, class 3 none.
        const labels = Uint16Array.from({ length: items }, () => (next() < 0.3 ? 0 : next() < 0.01 ? 1 : 2));
        const distances = Float32Array.from(labels, (label) => draw(next, label));
        for (const engine of ["plain", engineHere()] as const) {
          const ranking = new Ranking(labels, 4, engine);
          const at = [1, 3, 10, 100, 5000];
          for (let label = 0; label < 4; label++) {
            const expected = plainMetrics(distances, labels, label, at);
            expect(ranking.metrics(distances, label, at)).toEqual(expected);
            for (const skip of [0, items - 1, items >> 1])
              expect(ranking.metrics(distances, label, at, skip)).toEqual(
                plainMetrics(distances, labels, label, at, skip),
              );
            for (const k of [1, 5, items + 3]) {
              const zeros = new Float64Array(items);
              const products = Float32Array.from([9, ...productsOf(distances)]);
              expect([...ranking.measure(zeros, products, 1, k)]).toEqual([...ranking.nearest(distances, k)]);
              expect(ranking.measuredMetrics(label, at)).toEqual(expected);
            }
          }
        }
      }
    });

  it("counts an item without a distance as the nearest, as it always did", () => {
    const next = random(3);
    const labels = Uint16Array.from({ length: 500 }, () => Math.floor(next() * 3));
    const distances = Float32Array.from(labels, (label) => (label !== 0 && next() < 0.1 ? NaN : next()));
    const expected = plainMetrics(
      distances.map((distance) => (Number.isNaN(distance) ? -1 : distance)),
      labels,
      0,
      AT,
    );
    for (const engine of ["plain", engineHere()] as const)
      expect(new Ranking(labels, 3, engine).metrics(distances, 0, AT)).toEqual(expected);
  });
});
