/** The codes that classes are given before training: far apart, seeded, one for each. */
import { describe, expect, test } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { hadamard, hashCentres } from "../../../stages/train/hashing/centres.ts";
import { inferCodes, solve } from "../../../stages/train/hashing/inference.ts";

/** Hamming distances of all pairs of codes. */
function distancesOf(codes: Int8Array, bits: number): number[] {
  const classes = codes.length / bits;
  const distances: number[] = [];
  for (let a = 0; a < classes; a++)
    for (let b = a + 1; b < classes; b++) {
      let distance = 0;
      for (let k = 0; k < bits; k++) distance += Number(codes[a * bits + k] !== codes[b * bits + k]);
      distances.push(distance);
    }
  return distances;
}

describe("hadamard", () => {
  test.each([1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 128])("any two of %i rows are orthogonal", (size) => {
    const rows = hadamard(size)!;
    expect(rows.every((value) => Math.abs(value) === 1)).toBe(true);
    expect(new Set(distancesOf(rows, size))).toEqual(new Set(size > 1 ? [size / 2] : []));
  });

  test("does not exist for other sizes", () => {
    for (const size of [3, 6, 10, 14, 28, 40]) expect(hadamard(size)).toBeUndefined();
  });
});

describe("hashCentres", () => {
  test.each([12, 16, 24, 32, 48, 64, 128])("ten classes of %i bits differ in half of them", (bits) => {
    expect(new Set(distancesOf(hashCentres(10, bits, random(1, "loss")), bits))).toEqual(new Set([bits / 2]));
  });

  test("as many as twice the bits: half of them, or all", () => {
    const distances = distancesOf(hashCentres(16, 8, random(1, "loss")), 8);
    expect(new Set(distances)).toEqual(new Set([4, 8]));
    expect(distances.filter((distance) => distance === 8).length).toBe(8);
    expect(distancesOf(hashCentres(2, 1, random(1, "loss")), 1)).toEqual([1]);
  });

  test("the first bit of Sylvester's rows, all alike, tells classes apart", () => {
    const centres = hashCentres(10, 64, random(1, "loss"));
    expect(Array.from({ length: 10 }, (_, c) => centres[c * 64]).filter((bit) => bit === 1).length).toBe(5);
  });

  test("drawn ones keep away from each other", () => {
    // There is no Hadamard matrix of 36 rows here; ten codes of fair coins come as near as 8 to 13.
    const [first, again] = [1, 2].map(() => hashCentres(10, 36, random(1, "loss")));
    expect(Math.min(...distancesOf(first, 36))).toBeGreaterThanOrEqual(16);
    expect(again).toEqual(first);
  });
});

test.each([hashCentres, inferCodes])("more classes than codes are an error", (make) => {
  expect(() => make(5, 2, random(1, "loss"))).toThrow(UserError);
  expect(() => make(5, 2, random(1, "loss"))).toThrow(/2 bits make 4 codes.*5 classes.*Raise dim to 3/);
});

describe("inferCodes", () => {
  test("a bit is as good as the best of all its values", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const stream = random(seed, "weights");
      const size = 8;
      const weights = new Float64Array(size * size);
      for (let i = 0; i < size; i++)
        for (let j = i + 1; j < size; j++) weights[i * size + j] = weights[j * size + i] = stream.float();
      const value = (z: ArrayLike<number>) =>
        weights.reduce((sum, weight, at) => sum + weight * z[Math.floor(at / size)] * z[at % size], 0);
      let least = Number.POSITIVE_INFINITY;
      for (let bits = 0; bits < 2 ** size; bits++)
        least = Math.min(least, value(Array.from({ length: size }, (_, k) => ((bits >> k) & 1) * 2 - 1)));
      expect(value(solve(weights, size, random(seed, "loss")))).toBeCloseTo(least, 9);
    }
  });

  test("ten classes are as far apart as rows of a Hadamard matrix, at few bits nearly so, and no bit is dead", () => {
    for (const [bits, least] of [
      [12, 5], // one bit after the other is one short of what all at once could be
      [16, 8],
      [24, 12],
      [32, 16],
      [48, 24],
      [64, 32],
    ]) {
      const codes = inferCodes(10, bits, random(1, "loss"));
      expect(Math.min(...distancesOf(codes, bits))).toBeGreaterThanOrEqual(least);
      for (let bit = 0; bit < bits; bit++)
        expect(new Set(Array.from({ length: 10 }, (_, c) => codes[c * bits + bit])).size).toBe(2);
    }
  });

  test("each class has its own code where the bits just suffice; one seed, one outcome", () => {
    const codes = inferCodes(10, 4, random(1, "loss"));
    expect(Math.min(...distancesOf(codes, 4))).toBeGreaterThanOrEqual(1);
    expect(inferCodes(10, 4, random(1, "loss"))).toEqual(codes);
    expect(inferCodes(1, 4, random(1, "loss")).length).toBe(4);
  });
});
