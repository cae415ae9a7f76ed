/** Every file of losses/ follows its own gradient, and gives a number for unusual batches. */
import { readdirSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import all from "../../../stages/train/selectors/all.ts";
import allPositive from "../../../stages/train/selectors/all-positive.ts";
import {
  finiteDifferences,
  lossOf,
  type Rows,
  randomRows,
  relativeError,
  type Setup,
  start,
} from "./helpers.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

const names = readdirSync("stages/train/losses").map((file) => file.replace(/\.ts$/, ""));
const load = async (name: string): Promise<Loss> =>
  (await import(`../../../stages/train/losses/${name}.ts`)).default;
const DIM = 8;
const LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 3, 3];
const setupOf = (loss: Loss, size = LABELS.length): Setup => ({
  classes: 4,
  given: {
    examples: {
      values: Float32Array.from(randomRows(random(4, "features"), size, 3).flat()),
      shape: [size, 3],
    },
  },
  selector: { triplets: all, pairs: allPositive, nothing: undefined }[loss.selects] as Setup["selector"],
});
const rowsFor = (loss: Loss, size = LABELS.length) =>
  randomRows(random(3, "rows"), size, DIM, loss.normalise);

/** Params at which no exponential is out of float32's reach: slopes can then be compared by differences. */
const MILD: Record<string, Record<string, unknown>> = {
  arcface: { scale: 4 },
  circle: { gamma: 4 },
  cosface: { scale: 4 },
  "multi-similarity": { beta: 5 },
  "normalised-softmax": { temperature: 0.5 },
  "nt-xent": { temperature: 0.5 },
  "proxy-anchor": { alpha: 4 },
  "proxy-nca-plus": { scale: 1 },
  "ranked-list": { temperature: 2 },
  "soft-triple": { scale: 4, centres: 3 },
  "subcenter-arcface": { scale: 4 },
  supcon: { temperature: 0.5 },
  "tuplet-margin": { scale: 4 },
};
/** Losses whose gradient is by definition not that of the value: their weights, signs or halves have none. */
const DETACHED = ["bihalf", "bihalf-unsupervised", "circle", "greedyhash"];

describe.each(names)("%s", (name) => {
  test.skipIf(DETACHED.includes(name))("descends along its gradient", async () => {
    const loss = await load(name);
    const setup = { ...setupOf(loss), params: MILD[name] };
    const rows = rowsFor(loss);
    const { gradient, run } = lossOf(loss, rows, LABELS, setup, start(loss, DIM, setup));
    const length = Math.sqrt(gradient.flat().reduce((sum, slope) => sum + slope * slope, 0));
    expect(length).toBeGreaterThan(1e-4);
    const moved = (step: number) =>
      lossOf(
        loss,
        rows.map((row, i) => row.map((value, k) => value + (step * gradient[i][k]) / length)),
        LABELS,
        setup,
        run,
      ).loss;
    const H = 2e-3;
    const slope = (moved(H) - moved(-H)) / (2 * H);
    expect(Math.abs(slope - length) / length).toBeLessThan(0.03);
  });

  test.each<[string, number[], ((rows: Rows) => Rows)?]>([
    ["of one class", [1, 1, 1, 1]],
    ["of classes with one image each", [0, 1, 2, 3]],
    ["of two images of one class", [2, 2]],
    ["of two images of two classes", [0, 3]],
    ["of equal embeddings", [0, 0, 1, 1, 2], (rows) => rows.map(() => rows[0])],
    [
      "of opposite embeddings",
      [0, 0, 1, 1],
      ([row]) => [1, -1, 1, -1].map((side) => row.map((x) => side * x)),
    ],
  ])("answers a batch %s with a finite loss and gradient", async (_, labels, change = (rows) => rows) => {
    const loss = await load(name);
    const setup = setupOf(loss, labels.length);
    const found = lossOf(loss, change(rowsFor(loss, labels.length)), labels, setup);
    expect(Number.isFinite(found.loss)).toBe(true);
    for (const slopes of [found.gradient.flat(), ...found.variables.map((values) => Array.from(values))])
      expect(slopes.every(Number.isFinite)).toBe(true);
  });
});

const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
const unit = (row: number[]) => row.map((value) => value / Math.hypot(...row));
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const squaredOf = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0);

/** The value and gradient of a loss against its equation in float64. */
async function follows(
  name: string,
  params: Record<string, unknown>,
  equation: (rows: Rows, weights: Rows) => number,
) {
  const loss = await load(name);
  const setup = { classes: 4, params };
  const run = start(loss, DIM, setup);
  const weights = run.variables.length ? (run.variables[0].arraySync() as Rows).map(unit) : [];
  const rows = rowsFor(loss);
  const found = lossOf(loss, rows, LABELS, setup, run);
  const expected = equation(rows, weights);
  expect(Math.abs(found.loss - expected)).toBeLessThan(1e-5 * Math.abs(expected));
  const gradient = finiteDifferences((at) => equation(at, weights), rows);
  expect(relativeError(found.gradient, gradient)).toBeLessThan(2e-5);
}

describe("the equation of", () => {
  test("proxy-nca", () =>
    follows("proxy-nca", {}, (rows, proxies) =>
      mean(
        rows.map((row, i) => {
          // On the unit sphere |e - p|² is 2 - 2 cos, and off it what the loss takes for it.
          const squared = proxies.map((proxy) => 2 - 2 * dot(row, proxy));
          const others = squared.filter((_, c) => c !== LABELS[i]);
          return squared[LABELS[i]] + Math.log(others.reduce((sum, d) => sum + Math.exp(-d), 0));
        }),
      ),
    ));

  test("n-pair, with its lengths", () =>
    follows("n-pair", { lambda: 0.4 }, (rows) => {
      const pairs = [0, 1, 2, 3].map((label) =>
        LABELS.flatMap((own, i) => (own === label ? [rows[i]] : [])).slice(0, 2),
      );
      const entropy = mean(
        pairs.map(
          ([a, p]) => Math.log(pairs.reduce((sum, [, q]) => sum + Math.exp(dot(a, q)), 0)) - dot(a, p),
        ),
      );
      return entropy + 0.1 * mean(pairs.map(([a, p]) => dot(a, a) + dot(p, p)));
    }));

  test("vicreg", () =>
    follows("vicreg", { invariance: 3, variance: 2, covariance: 0.5 }, (rows) => {
      const near = rows.flatMap((a, i) =>
        rows.slice(i + 1).flatMap((b, k) => (LABELS[i] === LABELS[i + 1 + k] ? [squaredOf(a, b) / DIM] : [])),
      );
      const centre = rows[0].map((_, d) => mean(rows.map((row) => row[d])));
      const covariance = (a: number, b: number) =>
        rows.reduce((sum, row) => sum + (row[a] - centre[a]) * (row[b] - centre[b]), 0) / (rows.length - 1);
      const dims = centre.map((_, d) => d);
      const flat = mean(dims.map((d) => Math.max(0, 1 - Math.sqrt(covariance(d, d) + 1e-4))));
      const squares = dims.flatMap((a) => dims.map((b) => (a === b ? 0 : covariance(a, b) ** 2)));
      return 3 * mean(near) + 2 * flat + (0.5 / DIM) * squares.reduce((sum, value) => sum + value, 0);
    }));

  test("soft-triple's centres", async () => {
    const loss = await load("soft-triple");
    const at = (tau: number) => {
      const setup = { classes: 4, params: { centres: 3, tau } };
      const run = start(loss, DIM, setup);
      const centres = (run.variables[0].arraySync() as Rows).map(unit);
      return { centres, found: lossOf(loss, rowsFor(loss), LABELS, setup, run).loss };
    };
    const { centres, found } = at(0.7);
    const distances = centres.flatMap((a, i) =>
      centres.flatMap((b, j) =>
        i !== j && Math.floor(i / 3) === Math.floor(j / 3) ? [Math.sqrt(squaredOf(a, b) + 1e-5)] : [],
      ),
    );
    expect(found - at(0).found).toBeCloseTo(0.7 * mean(distances), 4);
  });
});

test("margin trains its radius: it falls where positives are too far", async () => {
  const loss = await load("margin");
  const run = start(loss, DIM, setupOf(loss));
  const [beta] = run.variables;
  const near = lossOf(loss, rowsFor(loss), LABELS, setupOf(loss), run);
  // dloss / dbeta by the shares of parts that have a loss.
  const shifted = (by: number) => {
    beta.assign(tf.scalar(1.2 + by));
    return lossOf(loss, rowsFor(loss), LABELS, setupOf(loss), run);
  };
  const slope = near.variables[0][0];
  expect(slope).not.toBe(0);
  expect(Math.abs(slope)).toBeLessThanOrEqual(1);
  expect(shifted(0).variables[0][0]).toBe(slope);
  const still = start(loss, DIM, { ...setupOf(loss), params: { learn_beta: false } });
  expect(still.variables).toEqual([]);
});
