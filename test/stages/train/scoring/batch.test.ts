/** The batch's matrices, over several tiles, and the sums over all triplets against visiting each. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import {
  type Batch,
  batchOf,
  forUpperTiles,
  squaredDistances,
} from "../../../../stages/train/scoring/batch.ts";
import { scoreEveryHinge } from "../../../../stages/train/scoring/hinge.ts";
import { laplacianOf } from "../../../../stages/train/scoring/ops.ts";
import { emptyTriplets, push, scoreTriplets } from "../../../../stages/train/scoring/tuples.ts";
import { batchFrom, type Rows, randomRows } from "../helpers.ts";

function distancesOf(rows: Rows): Float32Array {
  const floats = Float32Array.from(rows.flat());
  const dim = rows[0].length;
  const gram = rows.flatMap((_, i) =>
    rows.map((_, j) => {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum = Math.fround(sum + floats[i * dim + k] * floats[j * dim + k]);
      return sum;
    }),
  );
  return squaredDistances(Float32Array.from(gram), floats, rows.length);
}

test.each([1, 2, 31, 32, 33, 100])("each pair of %i rows is met once", (size) => {
  const met = new Int32Array(size * size);
  forUpperTiles(size, (i, from, to) => {
    for (let j = from; j < to; j++) met[i * size + j]++;
  });
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) expect(met[i * size + j]).toBe(j > i ? 1 : 0);
});

describe("squared distances", () => {
  test("out of inner products, right to seven digits, symmetric, zero on the diagonal", () => {
    const rows = randomRows(random(1, "rows"), 70, 8, true).map((row) => row.map(Math.fround));
    const squared = distancesOf(rows);
    for (let i = 0; i < 70; i++)
      for (let j = 0; j < 70; j++) {
        const expected = rows[i].reduce((sum, x, k) => sum + (x - rows[j][k]) ** 2, 0);
        expect(Math.abs(squared[i * 70 + j] - expected)).toBeLessThanOrEqual(4e-6 * expected);
        expect(squared[i * 70 + j]).toBe(squared[j * 70 + i]);
      }
  });

  test("keep their digits where the rows nearly coincide, far from the origin", () => {
    const rows = [
      [100, 200],
      [100.001, 200],
      [100, 200],
    ].map((row) => row.map(Math.fround));
    const squared = distancesOf(rows);
    expect(squared[1] / (rows[1][0] - rows[0][0]) ** 2).toBeCloseTo(1, 6);
    expect(squared[2]).toBe(0);
  });
});

test("the Laplacian times the embeddings is the gradient of the sum it stands for", () => {
  const size = 40;
  const stream = random(2, "laplacian");
  const weights = Float32Array.from({ length: size * size }, () => stream.normal());
  const rows = randomRows(stream, size, 3);
  const laplacian = laplacianOf(weights, size);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < 3; k++) {
      let found = 0;
      let expected = 0;
      for (let j = 0; j < size; j++) {
        found += laplacian[i * size + j] * rows[j][k];
        expected += 2 * (weights[i * size + j] + weights[j * size + i]) * (rows[i][k] - rows[j][k]);
      }
      expect(found).toBeCloseTo(expected, 4);
    }
});

function everyTriplet({ positives, negatives }: Batch) {
  const triplets = emptyTriplets(positives.count * negatives.length);
  for (let pair = 0; pair < positives.count; pair++)
    for (const negative of negatives[positives.first[pair]])
      push(triplets, positives.first[pair], positives.second[pair], negative);
  return triplets;
}

test("the hinge over all triplets at once is the hinge over one after another", () => {
  const term = (margin: number) => ({
    loss: 0,
    positive: 1,
    negative: -1,
    at(ap: number, an: number) {
      this.loss = ap - an + margin;
    },
  });
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 40 }),
      fc.nat(1000),
      fc.boolean(),
      fc.constantFrom(0.0625, 0.3, 5),
      (labels, seed, coarse, margin) => {
        // Coarse rows have many equal distances, and distances at the margin exactly.
        const rows = randomRows(random(seed, "rows"), labels.length, 2).map((row) =>
          coarse ? row.map((x) => Math.round(x * 2) / 4) : row,
        );
        const batch = batchFrom(rows, labels);
        const fast = scoreEveryHinge(batch, margin);
        const slow = scoreTriplets(batch, everyTriplet(batch), term(margin));
        expect(fast.count).toBe(slow.count);
        expect(fast.active).toBe(slow.active);
        expect(Math.abs(fast.loss - slow.loss)).toBeLessThanOrEqual(1e-12 * (1 + slow.loss));
        expect(fast.gradient).toEqual(slow.gradient);
      },
    ),
    { numRuns: 200, seed: 9 },
  );
});

describe("a batch with several labels an image", () => {
  const sets = (...rows: number[][]) => Uint8Array.from(rows.flat());

  test("is the batch of single labels where each image has one", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }), (labels) => {
        const squared = new Float32Array(labels.length ** 2);
        const oneHot = Uint8Array.from(
          labels.flatMap((label) => [0, 1, 2, 3].map((c) => Number(c === label))),
        );
        const plain = batchOf(Int32Array.from(labels), squared, 2);
        const found = batchOf(Int32Array.from(labels), squared, 2, oneHot);
        expect(found.members).toEqual(plain.members);
        expect(found.negatives).toEqual(plain.negatives);
        expect(found.positives).toEqual(plain.positives);
        for (const i of labels.keys())
          for (const j of labels.keys()) {
            expect(found.similar(i, j)).toBe(plain.similar(i, j));
            expect(found.similarity(i, j)).toBe(plain.similarity(i, j));
          }
      }),
    );
  });

  test("takes images that share a label for similar, which is not transitive", () => {
    const batch = batchOf(
      Int32Array.of(0, 0, 1),
      new Float32Array(9),
      2,
      sets([1, 0, 0], [1, 1, 0], [0, 1, 1]),
    );
    expect(batch.members.map((rows) => [...rows])).toEqual([
      [0, 1],
      [0, 1, 2],
      [1, 2],
    ]);
    expect(batch.negatives.map((rows) => [...rows])).toEqual([[2], [], [0]]);
    expect([...batch.positives.first]).toEqual([0, 1]);
    expect([...batch.positives.second]).toEqual([1, 2]);
    expect(batch.similarity(0, 1)).toBeCloseTo(Math.SQRT1_2, 12);
    expect(batch.similarity(1, 2)).toBe(0.5);
    expect(batch.similarity(0, 2)).toBe(0);
  });
});
