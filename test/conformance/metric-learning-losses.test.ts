/** Losses of metric learning against pytorch-metric-learning 2.8.1: values and gradients in float64 (see `source`). */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { normaliseRows } from "../../stages/shared/artifacts/head.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { euclideanLoss } from "../../stages/train/kinds/batches.ts";
import type { Loss } from "../../stages/train/loss.ts";
import type { Batch, Pairs } from "../../stages/train/scoring/batch.ts";
import { emptyTriplets, push } from "../../stages/train/scoring/tuples.ts";
import { negativePairs } from "../../stages/train/selector.ts";
import {
  finiteDifferences,
  type Rows,
  relativeError,
  rowsOf,
  withDefaults,
} from "../stages/train/helpers.ts";

interface Reference {
  definition: string;
  params: Record<string, number>;
  value: number;
  gradient: Rows;
  given?: { W?: Rows; fc?: Rows; proxies?: Rows };
  gradient_W?: Rows;
  gradient_fc?: Rows;
  gradient_proxies?: Rows;
}
interface Case {
  embeddings: Rows;
  labels: number[];
  losses: Record<string, Reference> & { "cross-batch-memory": MemoryReference };
}
/** Batches in a row against one memory. */
interface MemoryReference {
  params: { memory_size: number; neg_margin: number };
  batches: { embeddings: Rows; labels: number[]; value: number; gradient: Rows }[];
}

const { cases } = JSON.parse(readFileSync("test/conformance/metric-learning-losses.json", "utf8")) as {
  cases: Case[];
};

type Given = Record<string, number>;
/** Each reference, and the part and params here that are the same loss. */
const SAME: Record<
  string,
  { loss: string; params?: (given: Given) => Record<string, unknown>; normalise?: boolean }
> = {
  "normalised-softmax": { loss: "normalised-softmax" },
  cosface: { loss: "cosface" },
  arcface: { loss: "arcface", params: ({ margin_degrees, scale }) => ({ margin: margin_degrees, scale }) },
  "subcenter-arcface": {
    loss: "subcenter-arcface",
    params: ({ margin_degrees, scale, sub_centers }) => ({
      margin: margin_degrees,
      scale,
      centres: sub_centers,
    }),
  },
  sphereface: { loss: "sphereface" },
  "proxy-nca": { loss: "proxy-nca-plus", params: ({ softmax_scale }) => ({ scale: softmax_scale }) },
  "soft-triple": {
    loss: "soft-triple",
    params: ({ centers_per_class, la, gamma, margin }) => ({
      centres: centers_per_class,
      scale: la,
      gamma,
      margin,
      tau: 0,
    }),
  },
  margin: { loss: "margin", params: ({ margin, beta }) => ({ margin, beta }) },
  circle: { loss: "circle" },
  "nt-xent": { loss: "nt-xent" },
  // The library scales the embeddings of an N-pair loss to length 1, the paper does not.
  "n-pair": { loss: "n-pair", params: () => ({ lambda: 0 }), normalise: true },
  "lifted-structure": { loss: "lifted-structure", params: ({ neg_margin }) => ({ margin: neg_margin }) },
  "generalised-lifted-structure": {
    loss: "generalised-lifted-structure",
    params: ({ neg_margin }) => ({ margin: neg_margin }),
  },
  "tuplet-margin": {
    loss: "tuplet-margin",
    params: ({ margin_degrees, scale }) => ({ margin: margin_degrees, scale, variance: 0 }),
  },
  "fast-ap": { loss: "fast-ap", params: ({ num_bins }) => ({ bins: num_bins }) },
  // A histogram of 101 bins has 102 nodes.
  histogram: { loss: "histogram", params: ({ n_bins }) => ({ nodes: n_bins + 1 }) },
  "snr-contrastive": {
    loss: "snr-contrastive",
    params: ({ pos_margin, neg_margin }) => ({ near: pos_margin, margin: neg_margin }),
  },
  "ranked-list": {
    loss: "ranked-list",
    params: ({ margin, Tn, imbalance }) => ({ margin, temperature: Tn, imbalance }),
  },
  nca: { loss: "nca", params: ({ softmax_scale }) => ({ scale: softmax_scale }) },
};

const transposed = (rows: Rows): Rows => rows[0].map((_, column) => rows.map((row) => row[column]));
const load = async (name: string): Promise<Loss> =>
  (await import(`../../stages/train/losses/${name}.ts`)).default;

/** Every triplet, both images of a positive pair as anchors. */
function everyTriplet(labels: number[]) {
  const triplets = emptyTriplets(labels.length ** 3);
  for (const [a, own] of labels.entries())
    for (const [p, same] of labels.entries())
      for (const [n, other] of labels.entries())
        if (p !== a && same === own && other !== own) push(triplets, a, p, n);
  return triplets;
}

/** A loss, and its gradient with respect to raw embeddings and to the loss's own weights. */
function outcomeOf(
  loss: Loss,
  one: Case,
  params: Record<string, unknown>,
  { weights, normalise = loss.normalise }: { weights?: Rows; normalise?: boolean } = {},
) {
  const given = withDefaults(loss, params);
  const run = loss.start({
    dim: one.embeddings[0].length,
    classes: Math.max(...one.labels) + 1,
    params: given,
    random: random(1, "loss"),
  });
  if (weights) run.variables[0].assign(tf.tensor2d(weights));
  const x = tf.variable(tf.tensor2d(one.embeddings));
  const { value, grads } = tf.variableGrads(
    () =>
      run.loss(
        normalise ? normaliseRows(x as unknown as tf.Tensor2D) : (x as unknown as tf.Tensor2D),
        Int32Array.from(one.labels),
        given,
        loss.selects === "triplets" ? { triplets: everyTriplet(one.labels) } : undefined,
      ),
    [x, ...run.variables],
  );
  const rows = (variable: tf.Variable, width: number) =>
    rowsOf(grads[variable.name].dataSync() as Float32Array, width);
  return {
    value: value.dataSync()[0],
    gradient: rows(x, one.embeddings[0].length),
    weights: weights ? rows(run.variables[0], weights[0].length) : undefined,
  };
}

beforeAll(async () => {
  await startBackend("cpu");
});

test("every reference is compared", () => {
  const compared = [...Object.keys(SAME), "angular", "intra-pair-variance", "cross-batch-memory"].sort();
  expect(Object.keys(cases[0].losses).sort()).toEqual(compared);
});

describe.each(Object.entries(SAME))("%s", (reference, {
  loss: name,
  params = (given) => given,
  normalise,
}) => {
  test.each(cases.map((one, index) => [index, one] as const))("batch %i", async (_, one) => {
    const { value, gradient, given, params: wanted, ...rest } = one.losses[reference];
    const stored = given?.W ?? given?.fc ?? given?.proxies;
    const asRows = (rows: Rows | undefined) => (rows && !given?.proxies ? transposed(rows) : rows);
    const found = outcomeOf(await load(name), one, params(wanted), { weights: asRows(stored), normalise });
    expect(Math.abs(found.value - value) / Math.abs(value)).toBeLessThan(1e-5);
    expect(relativeError(found.gradient, gradient)).toBeLessThan(1e-5);
    const expected = asRows(rest.gradient_W ?? rest.gradient_fc ?? rest.gradient_proxies);
    if (expected) expect(relativeError(found.weights!, expected)).toBeLessThan(1e-5);
  });
});

test.each(
  cases.map((one, index) => [index, one] as const),
)("the variance of tuplet-margin is intra-pair-variance, batch %i", async (_, one) => {
  const tuplet = await load("tuplet-margin");
  const { value, gradient, params } = one.losses["intra-pair-variance"];
  const by = (variance: number) => outcomeOf(tuplet, one, { epsilon: params.pos_eps, variance, scale: 8 });
  const [without, found] = [by(0), by(1)];
  expect(found.value - without.value).toBeCloseTo(value, 5);
  const difference = found.gradient.map((row, i) => row.map((slope, k) => slope - without.gradient[i][k]));
  expect(relativeError(difference, gradient)).toBeLessThan(1e-4);
});

/** The mean over positive pairs of their distance, and that over the negative pairs nearer than 1 of what is missing. */
const byDistance = euclideanLoss({
  score(batch: Batch, distances: Float32Array) {
    const gradient = new Float32Array(distances.length);
    const meanOver = (pairs: Pairs, side: number, least: number) => {
      const places = Array.from(
        { length: pairs.count },
        (_, k) => pairs.first[k] * batch.size + pairs.second[k],
      ).filter((at) => least + side * distances[at] > 0);
      for (const at of places) gradient[at] += side / places.length;
      return places.reduce((sum, at) => sum + least + side * distances[at], 0) / places.length;
    };
    const loss = meanOver(batch.positives, 1, 0) + meanOver(negativePairs(batch), -1, 1);
    return { loss, gradient, count: 0, active: 0 };
  },
});

test.each(
  cases.map((one, index) => [index, one.losses["cross-batch-memory"]] as const),
)("cross-batch-memory, batches in a row, case %i", (_, { params, batches }) => {
  const given = { memory: { size: params.memory_size } };
  const setup = {
    dim: batches[0].embeddings[0].length,
    classes: 4,
    params: given,
    random: random(1, "loss"),
  };
  const run = byDistance.start(setup);
  for (const { embeddings, labels, value, gradient } of batches) {
    const x = tf.variable(tf.tensor2d(embeddings));
    const found = tf.variableGrads(
      () =>
        run.loss(normaliseRows(x as unknown as tf.Tensor2D), Int32Array.from(labels), given, { share: 0 }),
      [x],
    );
    expect(Math.abs(found.value.dataSync()[0] - value) / value).toBeLessThan(1e-5);
    const slopes = rowsOf(found.grads[x.name].dataSync() as Float32Array, embeddings[0].length);
    expect(relativeError(slopes, gradient)).toBeLessThan(1e-5);
  }
});

/**
 * The library leaves the negatives of its angular loss at the lengths that they have, and so its values are others; on
 * the unit sphere the two agree.
 */
test.each(
  cases.map((one, index) => [index, one] as const),
)("angular, on the unit sphere, batch %i", async (_, one) => {
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  const unit = (row: number[]) => row.map((value) => value / Math.hypot(...row));
  const { alpha_degrees } = one.losses.angular.params;
  const tangent = Math.tan((alpha_degrees * Math.PI) / 180) ** 2;
  const plain = (rows: Rows): number => {
    const all = rows.map(unit);
    const terms = all.flatMap((a, i) =>
      all.flatMap((p, j) => {
        if (j === i || one.labels[i] !== one.labels[j]) return [];
        const others = all.filter((_, k) => one.labels[k] !== one.labels[i]);
        const sum = others.reduce(
          (total, n) =>
            total + Math.exp(4 * tangent * (dot(a, n) + dot(p, n)) - 2 * (1 + tangent) * dot(a, p)),
          0,
        );
        return [Math.log(1 + sum)];
      }),
    );
    return terms.reduce((sum, term) => sum + term, 0) / terms.length;
  };
  const found = outcomeOf(await load("angular"), one, { alpha: alpha_degrees });
  expect(Math.abs(found.value - plain(one.embeddings)) / found.value).toBeLessThan(1e-5);
  expect(relativeError(found.gradient, finiteDifferences(plain, one.embeddings))).toBeLessThan(1e-5);
});
