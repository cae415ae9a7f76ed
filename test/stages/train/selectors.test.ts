/** Each selector against its definition, written out plainly; and on batches that have little to choose from. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../../stages/shared/compute/random.ts";
import type { Batch, Pairs, Triplets } from "../../../stages/train/scoring/batch.ts";
import { farthestPlaces, nearestPlaces } from "../../../stages/train/scoring/nearest.ts";
import { negativePairs, type TripletSelector } from "../../../stages/train/selector.ts";
import all from "../../../stages/train/selectors/all.ts";
import allPositive from "../../../stages/train/selectors/all-positive.ts";
import angularTriplets from "../../../stages/train/selectors/angular-triplets.ts";
import batchEasyHard from "../../../stages/train/selectors/batch-easy-hard.ts";
import batchHard from "../../../stages/train/selectors/batch-hard.ts";
import distanceWeighted from "../../../stages/train/selectors/distance-weighted.ts";
import easyPositive from "../../../stages/train/selectors/easy-positive.ts";
import hardNegative from "../../../stages/train/selectors/hard-negative.ts";
import hardestNegative from "../../../stages/train/selectors/hardest-negative.ts";
import randomNegative from "../../../stages/train/selectors/random-negative.ts";
import semihardNegative from "../../../stages/train/selectors/semihard-negative.ts";
import tripletMargin from "../../../stages/train/selectors/triplet-margin.ts";
import { batchFrom, randomRows, select, selectPairs, tripletSet } from "./helpers.ts";

const TRIPLETS: Record<string, TripletSelector> = {
  "hardest-negative": hardestNegative,
  "random-negative": randomNegative,
  "semihard-negative": semihardNegative,
  "batch-hard": batchHard,
  "distance-weighted": distanceWeighted,
  "easy-positive": easyPositive,
  "angular-triplets": angularTriplets,
  "batch-easy-hard": batchEasyHard,
  "triplet-margin": tripletMargin,
};

const eachTriplet = ({ anchors, positives, negatives, count }: Triplets) =>
  Array.from({ length: count }, (_, t) => [anchors[t], positives[t], negatives[t]]);

const eachPair = ({ first, second, count }: Pairs) =>
  Array.from({ length: count }, (_, p) => `${first[p]},${second[p]}`);

const batchArbitrary = fc
  .record({
    labels: fc.array(fc.nat(3), { minLength: 2, maxLength: 24 }),
    seed: fc.nat(1000),
    dim: fc.integer({ min: 2, max: 5 }),
  })
  .map(({ labels, seed, dim }) =>
    batchFrom(randomRows(random(seed, "rows"), labels.length, dim, true), labels),
  );

test("10 classes of 16 images give 12,720 pairs and 172,800 triplets", () => {
  const labels = Array.from({ length: 160 }, (_, i) => Math.floor(i / 16));
  const batch = batchFrom(randomRows(random(1, "rows"), 160, 4, true), labels);
  const { positive, negative } = selectPairs(allPositive, batch, { balanced: false }, 1);
  expect(positive.count + negative.count).toBe(12_720);
  expect(select(all, batch)).toBe("all");
  expect(batch.positives.count * batch.negatives[0].length).toBe(172_800);
  // An endless margin leaves out none: one triplet for each positive pair.
  expect(select(randomNegative, batch, Number.POSITIVE_INFINITY).count).toBe(1200);
});

describe.each(Object.entries(TRIPLETS))("%s", (_, selector) => {
  test("gives triplets of two of one class and one of another", () => {
    fc.assert(
      fc.property(batchArbitrary, (batch) => {
        for (const [a, p, n] of eachTriplet(select(selector, batch))) {
          expect(batch.labels[a]).toBe(batch.labels[p]);
          expect(a).not.toBe(p);
          expect(batch.labels[n]).not.toBe(batch.labels[a]);
        }
      }),
      { numRuns: 50, seed: 3 },
    );
  });

  test("chooses nothing where there is nothing to choose", () => {
    const rows = randomRows(random(2, "rows"), 4, 3, true);
    expect(select(selector, batchFrom(rows, [0, 1, 2, 3])).count).toBe(0); // no positive pair
    expect(select(selector, batchFrom(rows, [5, 5, 5, 5])).count).toBe(0); // one class
    expect(select(selector, batchFrom(rows.slice(0, 1), [0])).count).toBe(0);
  });

  test("chooses the same again by the same seed", () => {
    const batch = batchFrom(
      randomRows(random(4, "rows"), 20, 3, true),
      Array.from({ length: 20 }, (_, i) => i % 4),
    );
    expect(select(selector, batch)).toEqual(select(selector, batch));
  });

  test("survives identical images", () => {
    const batch = batchFrom(
      Array.from({ length: 6 }, () => [0.6, 0.8]),
      [0, 1, 0, 1, 0, 1],
    );
    for (const triplet of eachTriplet(select(selector, batch)))
      for (const index of triplet) expect(index).toBeLessThan(6);
  });
});

/** Points on a line, whose neighbours can be read off. Classes 0: 0, 1, 4; 1: 2, 9; 2: 6. */
const line = batchFrom([[0], [1], [4], [2], [9], [6]], [0, 0, 0, 1, 1, 2]);

describe("by hand, on a line", () => {
  test("hardest-negative", () => {
    // Nearest negatives: of 0 and of 1 the 2; of 4 none is asked as it is last of its class; of 2 the 1.
    const expected = ["0,1,3", "0,2,3", "1,2,3", "3,4,1"];
    expect(tripletSet(select(hardestNegative, line, 100))).toEqual(expected);
    // |0-1|² + 1 < |0-2|²: that triplet has no loss.
    expect(tripletSet(select(hardestNegative, line, 1))).toEqual(expected.slice(1));
  });

  test("batch-hard", () => {
    // Of 4 the negatives at 2 and at 6 are as near: the first counts. Class 2 has no positive pair.
    expect(tripletSet(select(batchHard, line))).toEqual(["0,2,3", "1,2,3", "2,0,3", "3,4,1", "4,3,5"]);
  });

  test("easy-positive", () => {
    // Of 1 the 2 is as near as its positive 0, so not farther; of 2 no negative is farther than its positive 9.
    const semihard = ["0,1,3", "1,0,5", "2,1,4", "4,3,1"];
    expect(tripletSet(select(easyPositive, line))).toEqual(semihard);
    const hard = ["0,1,3", "1,0,3", "2,1,3", "3,4,1", "4,3,5"];
    expect(tripletSet(select(easyPositive, line, 0.2, { negative: "hard" }))).toEqual(hard);
  });

  test("all-positive and hard-negative", () => {
    const { positive, negative } = selectPairs(hardNegative, line);
    expect(eachPair(positive)).toEqual(["0,1", "0,2", "1,2", "3,4"]);
    // 1-2, then 0-2, 4-2 and 4-6 at the same distance.
    expect(eachPair(negative)).toEqual(["0,3", "1,3", "2,3", "2,5"]);
    const balanced = selectPairs(allPositive, line, { balanced: true }, 1);
    expect(eachPair(balanced.positive)).toEqual(["0,1", "0,2", "1,2", "3,4"]);
    expect(new Set(eachPair(balanced.negative)).size).toBe(4);
    const every = selectPairs(allPositive, line, { balanced: false }, 1);
    expect(every.negative.count).toBe(15 - 4);
  });
});

test("balanced negative pairs: each is as likely", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 2000; seed++)
    for (const pair of eachPair(selectPairs(allPositive, line, { balanced: true }, seed).negative))
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
  expect(counts.size).toBe(11);
  for (const count of counts.values()) expect(Math.abs(count / 2000 - 4 / 11)).toBeLessThan(0.05);
});

test("with fewer negative pairs than positive ones both pair selectors take all of them", () => {
  const few = batchFrom([[0], [1], [2], [3]], [0, 0, 0, 1]);
  expect(eachPair(selectPairs(hardNegative, few).negative)).toEqual(["0,3", "1,3", "2,3"]);
  const { negative } = selectPairs(allPositive, few, { balanced: true }, 1);
  expect(eachPair(negative).sort()).toEqual(["0,3", "1,3", "2,3"]);
});

test("hard-negative finds the same pairs as a sort", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 0, max: 8, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.nat(60),
      (values, n) => {
        const floats = Float32Array.from(values, Math.abs);
        const count = Math.min(n, floats.length);
        const sorted = [...floats.keys()].sort((a, b) => floats[a] - floats[b] || a - b).slice(0, count);
        expect([...nearestPlaces(floats, count)]).toEqual(sorted.sort((a, b) => a - b));
        // The largest are those that are not among the smallest.
        const rest = [...floats.keys()]
          .sort((a, b) => floats[a] - floats[b] || a - b)
          .slice(-count || Infinity);
        expect([...farthestPlaces(floats, count)]).toEqual(rest.sort((a, b) => a - b));
      },
    ),
    { seed: 5 },
  );
});

test("distance-weighted draws by 1/q(d), with its two limits", () => {
  // Anchor and positive, and negatives at chosen distances on the sphere of 5 dimensions.
  const distances = [0.3, 0.5, 0.8, 1.2, 1.45];
  const at = (d: number) => [1 - d ** 2 / 2, Math.sqrt(1 - (1 - d ** 2 / 2) ** 2), 0, 0, 0];
  const batch = batchFrom([at(0), at(0.1), ...distances.map(at)], [0, 0, 1, 1, 1, 1, 1]);
  const weights = distances.map((d) => {
    const near = Math.max(d, 0.5);
    return d < 1.4 ? 1 / (near ** 3 * (1 - near ** 2 / 4) ** 1) : 0; // n = 5
  });
  const total = weights.reduce((a, b) => a + b);
  const counts = distances.map(() => 0);
  for (let seed = 0; seed < 4000; seed++) {
    const { negatives, positives, count } = select(distanceWeighted, batch, 0.2, {}, seed);
    for (let t = 0; t < count; t++) if (positives[t] === 1) counts[negatives[t] - 2]++;
  }
  for (const [k, weight] of weights.entries())
    expect(Math.abs(counts[k] / 4000 - weight / total)).toBeLessThan(0.03);
  expect(counts[4]).toBe(0);
});

test("distance-weighted stays in range in many dimensions", () => {
  const batch = batchFrom(
    randomRows(random(6, "rows"), 30, 2048, true),
    Array.from({ length: 30 }, (_, i) => i % 3),
  );
  // In 2048 dimensions random points are at sqrt(2), so 1.4 leaves some and 1.9 all.
  expect(select(distanceWeighted, batch, 0.2, { farthest: 1.9 }).count).toBe(batch.positives.count);
});

/** The definition: of the negatives that fit a pair, in ascending order, the one that the stream points at. */
function drawPlainly({ positives, negatives, squared, size }: Batch, margin: number, semihard: boolean) {
  const stream = random(1, "selector");
  const drawn: number[][] = [];
  for (let pair = 0; pair < positives.count; pair++) {
    const [anchor, positive] = [positives.first[pair], positives.second[pair]];
    const near = squared[anchor * size + positive];
    const fitting = [...negatives[anchor]].filter((n) => {
      const far = squared[anchor * size + n];
      return far < near + margin && (!semihard || far > near);
    });
    if (fitting.length) drawn.push([anchor, positive, fitting[stream.int(fitting.length)]]);
  }
  return drawn;
}

test.each([
  ["random-negative", randomNegative, false],
  ["semihard-negative", semihardNegative, true],
] as const)("%s draws each negative that fits as likely, and no other", (_, selector, semihard) => {
  const batchOfBlocks = fc
    .record({
      size: fc.integer({ min: 2, max: 120 }),
      classes: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(1000),
      whole: fc.boolean(), // coordinates that lie so that distances are equal
    })
    .map(({ size, classes, seed, whole }) =>
      batchFrom(
        randomRows(random(seed, "rows"), size, 2).map((row) => (whole ? row.map(Math.round) : row)),
        Array.from({ length: size }, (_, i) => i % classes),
      ),
    );
  fc.assert(
    fc.property(batchOfBlocks, fc.integer({ min: 1, max: 3 }), (batch, margin) => {
      expect(eachTriplet(select(selector, batch, margin))).toEqual(drawPlainly(batch, margin, semihard));
    }),
    { numRuns: 40, seed: 3 },
  );
});

test("a batch knows its pairs", () => {
  fc.assert(
    fc.property(batchArbitrary, (batch) => {
      const { size, labels } = batch;
      const positive: string[] = [];
      const negative: string[] = [];
      for (let i = 0; i < size; i++)
        for (let j = i + 1; j < size; j++) (labels[i] === labels[j] ? positive : negative).push(`${i},${j}`);
      expect(eachPair(batch.positives)).toEqual(positive);
      expect(eachPair(negativePairs(batch))).toEqual(negative);
    }),
    { numRuns: 50, seed: 3 },
  );
});
