/** The mean over each pair's negatives: by hand, and the fast way against the plain one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import { justAbove } from "../../../../stages/train/scoring/limits.ts";
import { scoreHingeMeans, scoreMeans } from "../../../../stages/train/scoring/means.ts";
import { hinge } from "../../../../stages/train/scoring/term.ts";
import { batchFrom, randomRows } from "../helpers.ts";

/** Points on a line, whose neighbours can be read off. Classes 0: 0, 1, 4; 1: 2, 9; 2: 6. */
const line = batchFrom([[0], [1], [4], [2], [9], [6]], [0, 0, 0, 1, 1, 2]);

describe("by hand, on a line, with a margin of 16", () => {
  test("semihard negatives", () => {
    // Of 0 and 1 the 2 (1 + 16 - 4), of 4 and 0 the 9 (16 + 16 - 25), of 9 and 2 the 1 (49 + 16 - 64).
    const { loss, gradient, count, active } = scoreHingeMeans(line, { bothEnds: true, semihard: true }, 16);
    expect(loss).toBe((13 + 7 + 1) / 3);
    expect([count, active]).toEqual([3, 3]);
    const expected = new Float32Array(36);
    for (const [a, p, n] of [
      [0, 1, 3],
      [2, 0, 4],
      [4, 3, 1],
    ]) {
      expected[a * 6 + p] = 1 / 3;
      expected[a * 6 + n] = -1 / 3;
    }
    expect(gradient).toEqual(expected);
    const first = scoreHingeMeans(line, { bothEnds: false, semihard: true }, 16);
    expect([first.loss, first.count]).toEqual([13, 1]);
  });

  test("all negatives with a loss", () => {
    const { loss, gradient, count } = scoreHingeMeans(line, { bothEnds: true, semihard: false }, 16);
    const pairs = [13, 28, 16, 24, (28 + 7 + 28) / 3, 21, (61 + 64 + 61 + 49) / 4, (1 + 40 + 56) / 3];
    expect(loss).toBeCloseTo(pairs.reduce((sum, mean) => sum + mean) / 8, 10);
    expect(count).toBe(16);
    // Of 4 the 6 is one of three negatives that the pair with 0 has, and one of two with 1.
    expect(gradient[2 * 6 + 5]).toBeCloseTo(-(1 / 3 + 1 / 2) / 8, 6);
    expect(gradient[2 * 6 + 0]).toBeCloseTo(1 / 8, 6);
  });
});

test.each(
  [true, false].flatMap((bothEnds) => [true, false].map((semihard) => ({ bothEnds, semihard }))),
)("the fast way agrees with triplet by triplet (both ends: $bothEnds, semihard: $semihard)", (means) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 2, maxLength: 24 }),
      fc.nat(1000),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (labels, seed, margin, whole) => {
        // Whole coordinates lie so that distances equal limits.
        const rows = randomRows(random(seed, "rows"), labels.length, 3).map((row) =>
          whole ? row.map(Math.round) : row,
        );
        const batch = batchFrom(rows, labels);
        const plain = scoreMeans(batch, means, margin, hinge(margin));
        const fast = scoreHingeMeans(batch, means, margin);
        expect([fast.count, fast.active]).toEqual([plain.count, plain.active]);
        expect(fast.loss).toBeCloseTo(plain.loss, 6);
        for (let i = 0; i < plain.gradient.length; i++)
          expect(Math.abs(fast.gradient[i] - plain.gradient[i])).toBeLessThan(1e-6);
      },
    ),
    { numRuns: 30, seed: 3 },
  );
});

test("justAbove is the next number of float32", () => {
  for (const distance of [0, 0.1, 1, 3.99].map(Math.fround)) {
    const above = justAbove(distance);
    expect(above).toBeGreaterThan(distance);
    const between = Math.fround((above + distance) / 2);
    expect([distance, above]).toContain(between);
  }
});
