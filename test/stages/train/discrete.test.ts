/** Losses of codes that are found, or drawn, for each batch: against plain float64. */

import * as tf from "@tensorflow/tfjs-core";
import { Matrix, pseudoInverse } from "ml-matrix";
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { discreteCodes } from "../../../stages/train/hashing/discrete.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import { halves } from "../../../stages/train/losses/bihalf.ts";
import unsupervised from "../../../stages/train/losses/bihalf-unsupervised.ts";
import dfh from "../../../stages/train/losses/dfh.ts";
import dsdh from "../../../stages/train/losses/dsdh.ts";
import { finiteDifferences, lossOf, type Rows, randomRows, relativeError, rowsOf, start } from "./helpers.ts";

beforeAll(() => startBackend("cpu"));

const [CLASSES, BITS] = [4, 6];
const LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 3, 3];
const FLAGS = LABELS.map((label) => [0, 1, 2, 3].map((c) => Number(c === label)));
/** The same, and a second label for two images. */
const SEVERAL = FLAGS.map((row, i) => row.map((flag, c) => ((i === 1 || i === 4) && c === 3 ? 1 : flag)));
const outputs = () => randomRows(random(5, "outputs"), LABELS.length, BITS);
const given = (flags: Rows) => (flags === FLAGS ? {} : { labelSets: Uint8Array.from(flags.flat()) });

const sign = (value: number): number => (value > 0 ? 1 : -1);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
const softplus = (x: number) => Math.log1p(Math.exp(x));
const square = (x: number) => x * x;

/** The mean over all ordered pairs of a term of theta and whether two images share a label. */
const overPairs = (u: Rows, flags: Rows, term: (theta: number, same: boolean) => number) =>
  mean(u.flatMap((a, i) => u.map((b, j) => term(dot(a, b) / 2, dot(flags[i], flags[j]) > 0))));

/** W with the least |Y - B W|² + nu |W|². */
const ridge = (codes: Rows, flags: Rows, nu: number): Rows => {
  const b = new Matrix(codes);
  const gram = b.transpose().mmul(b).add(Matrix.eye(BITS).mul(nu));
  return pseudoInverse(gram).mmul(b.transpose()).mmul(new Matrix(flags)).to2DArray();
};
const misfit = (code: number[], y: number[], weights: Rows) =>
  y.reduce((sum, flag, c) => sum + square(flag - code.reduce((s, bit, k) => s + bit * weights[k][c], 0)), 0);

/** Each bit by trying both of its values, W after each turn. */
function plainCodes(u: Rows, flags: Rows, { lambda, mu, nu, turns }: Record<string, number>) {
  const codes = u.map((row) => row.map(sign));
  let weights = ridge(codes, flags, nu);
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, code] of codes.entries())
      for (let k = 0; k < BITS; k++) {
        const cost = (bit: number) => {
          code[k] = bit;
          return lambda * square(u[i][k] - bit) + mu * misfit(code, flags[i], weights);
        };
        code[k] = cost(1) < cost(-1) ? 1 : -1;
      }
    weights = ridge(codes, flags, nu);
  }
  const all = codes.reduce((sum, code, i) => sum + misfit(code, flags[i], weights), 0);
  return { codes, classified: all + nu * weights.flat().reduce((sum, w) => sum + w * w, 0) };
}

describe.each([
  ["one label", FLAGS],
  ["several labels", SEVERAL],
])("%s", (_, flags) => {
  test("codes of dsdh are found bit by bit, and some are not the signs", () => {
    const u = outputs();
    const weights = { lambda: 0.05, mu: 1, nu: 0.5, turns: 3 };
    const found = discreteCodes(Float32Array.from(u.flat()), Float32Array.from(flags.flat()), BITS, weights);
    const wanted = plainCodes(u, flags, weights);
    expect(rowsOf(found.codes, BITS)).toEqual(wanted.codes);
    expect(found.classified).toBeCloseTo(wanted.classified, 5);
    expect(wanted.codes).not.toEqual(u.map((row) => row.map(sign)));
  });

  test("dsdh follows its equation", () => {
    const u = outputs();
    const params = { lambda: 0.3, mu: 0.7, nu: 0.5, turns: 2 };
    const { codes, classified } = plainCodes(u, flags, params);
    const equation = (rows: Rows) =>
      overPairs(rows, flags, (theta, same) => softplus(theta) - Number(same) * theta) +
      params.lambda *
        mean(rows.map((row, i) => row.reduce((sum, x, k) => sum + square(x - codes[i][k]), 0))) +
      (params.mu * classified) / rows.length;
    const found = lossOf(dsdh as Loss, u, LABELS, { params, classes: CLASSES, given: given(flags) });
    expect(Math.abs(found.loss / equation(u) - 1)).toBeLessThan(1e-5);
    expect(relativeError(found.gradient, finiteDifferences(equation, u))).toBeLessThan(1e-5);
  });

  test("dfh follows its equation, in outputs and centres", () => {
    const u = outputs();
    const params = { margin: 2, mu: 0.8, eta: 0.4 };
    const setup = { params, classes: CLASSES, given: given(flags) };
    const run = start(dfh as Loss, BITS, setup);
    const centres = randomRows(random(6, "centres"), CLASSES, BITS);
    run.variables[0].assign(tf.tensor2d(centres));
    const drawn = u.map((row, i) =>
      row.map((x, k) =>
        sign(x + params.mu * flags[i].reduce((sum, f, c) => sum + f * Math.sign(centres[c][k]), 0)),
      ),
    );
    expect(drawn).not.toEqual(u.map((row) => row.map(sign)));
    const equation = (rows: Rows, v: Rows) => {
      const summed = flags.map((y) => u[0].map((_, k) => y.reduce((sum, f, c) => sum + f * v[c][k], 0)));
      return (
        overPairs(rows, flags, (theta, same) => softplus(params.margin + (same ? -theta : theta))) +
        params.eta * mean(rows.flatMap((row, i) => row.map((x, k) => square(x - drawn[i][k])))) +
        mean(summed.flatMap((row, i) => row.map((x, k) => square(x - drawn[i][k])))) +
        mean(v.flatMap((a, c) => v.map((b, d) => square(dot(a, b) - (c === d ? BITS : -BITS))))) +
        mean(v.flat().map((x) => square(x - Math.sign(x))))
      );
    };
    const found = lossOf(dfh as Loss, u, LABELS, setup, run);
    expect(Math.abs(found.loss / equation(u, centres) - 1)).toBeLessThan(1e-5);
    const slopes = finiteDifferences((rows) => equation(rows, centres), u);
    expect(relativeError(found.gradient, slopes)).toBeLessThan(2e-5);
    const pulls = finiteDifferences((v) => equation(u, v), centres);
    expect(relativeError(rowsOf(found.variables[0], BITS), pulls)).toBeLessThan(2e-5);
  });
});

test("bihalf-unsupervised brings the cosines of halves to those of the features, for any labels", () => {
  const u = outputs();
  const features = randomRows(random(7, "features"), u.length, 4);
  const shape = [u.length, 4];
  const setup = {
    params: { gamma: 2 },
    given: { examples: { values: Float32Array.from(features.flat()), shape } },
  };
  const codes = rowsOf(halves(Float32Array.from(u.flat()), BITS), BITS);
  const cosine = (a: number[], b: number[]) => dot(a, b) / Math.hypot(...a) / Math.hypot(...b);
  const half = u.length / 2;
  const equation = (bits: Rows) =>
    mean(
      bits
        .slice(0, half)
        .map((b, i) => square(cosine(b, bits[half + i]) - cosine(features[i], features[half + i]))),
    );
  const found = lossOf(unsupervised as Loss, u, LABELS, setup);
  expect(found.loss).toBeCloseTo(equation(codes), 6);
  const passed = finiteDifferences(equation, codes);
  const wanted = passed.map((row, i) =>
    row.map((slope, k) => slope + (2 * (u[i][k] - codes[i][k])) / u.length / BITS),
  );
  expect(relativeError(found.gradient, wanted)).toBeLessThan(1e-5);
  expect(
    lossOf(
      unsupervised as Loss,
      u,
      LABELS.map(() => 0),
      setup,
    ).loss,
  ).toBe(found.loss);
});

test("bihalf-unsupervised refuses images, and to be measured without features", () => {
  const under = (setup: object) => () => lossOf(unsupervised as Loss, outputs(), LABELS, setup);
  expect(under({})).toThrow(/give it the examples of the batch/);
  const examples = { values: new Float32Array(10 * 12), shape: [10, 2, 2, 3] };
  expect(under({ given: { examples } })).toThrow(/the network is given images\. Extract features/);
});
