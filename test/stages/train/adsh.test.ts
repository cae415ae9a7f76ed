/** Codes of the training images that adsh learns: against plain float64 over all pairs, and the best of all codes. */
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import type { LearnedCodes } from "../../../stages/train/hashing/learned.ts";
import {
  type CodeWeights,
  enterBatch,
  findCodes,
  noCodes,
} from "../../../stages/train/hashing/learned-codes.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import adsh from "../../../stages/train/losses/adsh.ts";
import { finiteDifferences, lossOf, type Rows, randomRows, relativeError, rowsOf, start } from "./helpers.ts";

beforeAll(() => startBackend("cpu"));

const sign = (value: number): number => (value > 0 ? 1 : -1);
const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
const apart = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0);

/** s of two labels, by looking at all pairs. */
function similarity(labels: number[], balance: boolean) {
  const pairs = labels.flatMap((a) => labels.map((b) => a === b));
  const similar = pairs.filter(Boolean).length;
  const other = balance ? -similar / (pairs.length - similar) : -1;
  return (a: number, b: number) => (a === b ? 1 : other);
}

/** Σ over the rows `drawn` and all codes, and over the drawn rows' own codes. */
function objective(u: Rows, v: Rows, labels: number[], drawn: number[], { gamma, balance }: CodeWeights) {
  const s = similarity(labels, balance);
  const bits = v[0].length;
  return drawn.reduce((sum, i) => {
    const pairs = v.map((code, j) => (dot(u[i], code) - bits * s(labels[i], labels[j])) ** 2);
    return sum + pairs.reduce((all, one) => all + one, 0) + gamma * apart(v[i], u[i]);
  }, 0);
}

/** Each bit of each code by trying both of its values: those of all rows, bit by bit. */
function plainCodes(u: Rows, v: Rows, labels: number[], drawn: number[], weights: CodeWeights): Rows {
  const codes = v.map((row) => [...row]);
  for (let k = 0; k < codes[0].length; k++)
    for (const code of codes) {
      const cost = (bit: number) => {
        code[k] = bit;
        return objective(u, codes, labels, drawn, weights);
      };
      code[k] = cost(1) < cost(-1) ? 1 : -1;
    }
  return codes;
}

const codesOf = ({ codes, count }: LearnedCodes, bits: number) =>
  rowsOf(codes.subarray(0, count * bits), bits);

/** Rows that have entered, the first `before` of them before the codes were last found. */
function entered(u: Rows, labels: number[], classes: number, before = 0): LearnedCodes {
  const held = noCodes(u[0].length, classes);
  const every = [...labels.keys()];
  for (const [at, rows] of [every, every.slice(before)].entries()) {
    if (at === 1) held.drawn.fill(0);
    const sign = at === 0 ? -1 : 1; // the codes are then not the signs of the outputs that count
    const outputs = Float64Array.from(rows.flatMap((i) => u[i].map((value) => sign * value)));
    enterBatch(
      held,
      Int32Array.from(rows),
      Int32Array.from(rows, (i) => labels[i]),
      outputs,
    );
  }
  return held;
}

const LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 3, 3];
const [CLASSES, BITS] = [4, 6];

describe.each([
  { gamma: 2, balance: false },
  { gamma: 0.5, balance: true },
])("with %o", (weights) => {
  test("follows its equation and finds its codes, step by step, for any batches", () => {
    const params = { ...weights, every: 2 };
    const setup = { params, classes: CLASSES };
    const run = start(adsh as Loss, BITS, setup);
    const stream = random(5, "outputs");
    // New images come at the third step, an image twice in one batch at the last.
    const batches = [
      [4, 0, 1],
      [2, 4, 3],
      [9, 8, 7, 6],
      [0, 5, 9],
      [1, 1, 2, 8],
    ];
    const known: number[] = [];
    let codes: Rows = [];
    const noted: Rows = [];
    let drawn = new Set<number>();
    for (const [step, images] of batches.entries()) {
      const rows = randomRows(stream, images.length, BITS);
      const batchLabels = images.map((image) => LABELS[image]);
      for (const [i, image] of images.entries()) {
        if (!known.includes(image)) {
          known.push(image);
          codes.push(rows[i].map(sign));
        }
        noted[known.indexOf(image)] = rows[i].map((x) => Math.fround(Math.tanh(Math.fround(x))));
        drawn.add(known.indexOf(image));
      }
      const labels = known.map((image) => LABELS[image]);
      const s = similarity(labels, weights.balance);
      const equation = (at: Rows) => {
        const u = at.map((row) => row.map(Math.tanh));
        const sum = u.reduce((all, row, i) => {
          const pairs = codes.map((v, j) => (dot(row, v) - BITS * s(batchLabels[i], labels[j])) ** 2);
          const own = codes[known.indexOf(images[i])];
          return all + pairs.reduce((a, b) => a + b, 0) + weights.gamma * apart(own, row);
        }, 0);
        return sum / images.length / known.length / BITS;
      };
      const given = { images: Int32Array.from(images), share: step / 10 };
      const found = lossOf(adsh as Loss, rows, batchLabels, { ...setup, given }, run);
      expect(Math.abs(found.loss / equation(rows) - 1)).toBeLessThan(1e-6);
      expect(relativeError(found.gradient, finiteDifferences(equation, rows))).toBeLessThan(1e-6);
      if (step % 2 === 1) {
        const before = codes;
        codes = plainCodes(noted, codes, labels, [...drawn], weights);
        expect(codes).not.toEqual(before);
        drawn = new Set();
      }
      expect(codesOf(run.counters.codes!, BITS)).toEqual(codes);
    }
  });

  test("the sum that the codes are found for never rises, and falls", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const u = randomRows(random(seed, "u"), LABELS.length, BITS).map((row) =>
        row.map(Math.tanh).map(Math.fround),
      );
      const held = entered(u, LABELS, CLASSES, 4);
      const drawn = [4, 5, 6, 7, 8, 9];
      const sum = () => objective(u, codesOf(held, BITS), LABELS, drawn, weights);
      const values = [sum()];
      for (let turn = 0; turn < 4; turn++) {
        for (const row of drawn) held.drawn[row] = 1;
        findCodes(held, weights);
        values.push(sum());
      }
      for (let turn = 1; turn < values.length; turn++)
        expect(values[turn]).toBeLessThanOrEqual(values[turn - 1] * (1 + 1e-12));
      expect(values[1]).toBeLessThan(values[0]);
    }
  });

  test("finds the best of all codes where one bit does not depend on another", () => {
    const labels = [0, 1, 1, 0];
    const value = 0.6;
    const u = [
      [1, 1],
      [1, -1],
      [-1, 1],
      [-1, -1],
    ].map((row) => row.map((x) => Math.fround(value * x)));
    const held = entered(u, labels, 2);
    findCodes(held, weights);
    const found = codesOf(held, 2);
    expect(objective(u, found, labels, [0, 1, 2, 3], weights)).toBeCloseTo(least(u, labels, weights), 6);
  });
});

/** The least sum over all codes of these rows. */
function least(u: Rows, labels: number[], weights: CodeWeights): number {
  const bits = u[0].length;
  let best = Number.POSITIVE_INFINITY;
  for (let word = 0; word < 2 ** (bits * u.length); word++) {
    const v = u.map((row, i) => row.map((_, k) => ((word >> (i * bits + k)) & 1 ? 1 : -1)));
    best = Math.min(best, objective(u, v, labels, [...labels.keys()], weights));
  }
  return best;
}

test("outputs and codes in turns come to the optimum of a small problem, 0: a code for each of two classes", () => {
  const labels = [0, 1, 0, 1];
  const weights = { gamma: 1, balance: false };
  const setup = {
    params: { ...weights, every: 5 },
    classes: 2,
    given: { images: Int32Array.from(labels.keys()), share: 0 },
  };
  const run = start(adsh as Loss, 2, setup);
  const rows = randomRows(random(8, "rows"), 4, 2).map((row) => row.map((x) => x / 4));
  let loss = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 400; step++) {
    const found = lossOf(adsh as Loss, rows, labels, setup, run);
    loss = found.loss;
    for (const [i, row] of rows.entries()) for (let k = 0; k < 2; k++) row[k] -= 2 * found.gradient[i][k];
  }
  expect(loss).toBeLessThan(1e-3);
  const codes = codesOf(run.counters.codes!, 2);
  expect(codes[0]).toEqual(codes[2]);
  expect(codes[1]).toEqual(codes[3]);
  expect(codes[1]).toEqual(codes[0].map((bit) => -bit));
  expect(rows.map((row) => row.map(sign))).toEqual(codes);
  const u = rows.map((row) => row.map(Math.tanh));
  const all = [0, 1, 2, 3];
  expect(objective(u, codes, labels, all, weights)).toBeCloseTo(least(u, labels, weights), 9);
});

test("a loss that is only measured takes the signs of the batch, and changes no code", () => {
  const setup = { classes: CLASSES };
  const run = start(adsh as Loss, BITS, setup);
  const rows = randomRows(random(9, "rows"), LABELS.length, BITS);
  const images = Int32Array.from(LABELS.keys());
  const trained = lossOf(adsh as Loss, rows, LABELS, { ...setup, given: { images, share: 0 } }, run);
  const held = structuredClone(run.counters.codes);
  const other = randomRows(random(10, "rows"), LABELS.length, BITS);
  const measured = lossOf(adsh as Loss, other, LABELS, { ...setup, given: { images } }, run);
  expect(run.counters.codes).toEqual(held);
  expect(measured.loss).toBe(lossOf(adsh as Loss, other, LABELS, setup).loss);
  expect(lossOf(adsh as Loss, rows, LABELS, setup).loss).toBe(trained.loss);
});
