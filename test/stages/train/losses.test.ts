/**
 * Each loss against its equation, written out plainly in float64: the value, and the gradient by finite differences
 * of that. Then what every loss must do: not care for the order of the batch nor for a rotation, give the same bytes
 * again, and answer invalid batches with a defined number or an error.
 */
import * as tf from "@tensorflow/tfjs-core";
import { Ajv } from "ajv";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { hashCentres } from "../../../stages/train/hashing/centres.ts";
import { inferCodes } from "../../../stages/train/hashing/inference.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import contrastive from "../../../stages/train/losses/contrastive.ts";
import csq from "../../../stages/train/losses/csq.ts";
import dpsh from "../../../stages/train/losses/dpsh.ts";
import dtsh from "../../../stages/train/losses/dtsh.ts";
import facenet from "../../../stages/train/losses/facenet.ts";
import greedyhash from "../../../stages/train/losses/greedyhash.ts";
import hofferAilon from "../../../stages/train/losses/hoffer-ailon.ts";
import identificationVerification from "../../../stages/train/losses/identification-verification.ts";
import multiSimilarity from "../../../stages/train/losses/multi-similarity.ts";
import proxyAnchor from "../../../stages/train/losses/proxy-anchor.ts";
import softMargin from "../../../stages/train/losses/soft-margin.ts";
import softmax from "../../../stages/train/losses/softmax.ts";
import supcon from "../../../stages/train/losses/supcon.ts";
import tripletEmbedding from "../../../stages/train/losses/triplet-embedding.ts";
import type { Given } from "../../../stages/train/scoring/batch.ts";
import type { TripletSelector } from "../../../stages/train/selector.ts";
import all from "../../../stages/train/selectors/all.ts";
import allPositive from "../../../stages/train/selectors/all-positive.ts";
import batchHard from "../../../stages/train/selectors/batch-hard.ts";
import meanNegative from "../../../stages/train/selectors/mean-negative.ts";
import {
  distance,
  finiteDifferences,
  lossOf,
  type Rows,
  randomRows,
  relativeError,
  rowsOf,
  type Setup,
  start,
} from "./helpers.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: number[]) => (values.length ? sum(values) / values.length : 0);
const dot = (a: number[], b: number[]) => sum(a.map((x, k) => x * b[k]));
const unit = (a: number[]) => a.map((x) => x / Math.hypot(...a));
const others = (rows: Rows, i: number) => rows.map((_, j) => j).filter((j) => j !== i);
/** On the unit sphere this is the cosine, and off it what the losses take for it. */
const cosine = (a: number[], b: number[]) => 1 - distance(a, b) ** 2 / 2;

const softplus = (x: number) => Math.log(1 + Math.exp(x));
const sign = (x: number) => (x > 0 ? 1 : -1);
/** One number an image: a term of each output, summed over the bits. */
const overBits = (rows: Rows, f: (u: number) => number) => rows.map((row) => sum(row.map(f)));
/** The targets as the losses draw them, at the seed that `start` takes. */
const codesOf = (draw: typeof hashCentres, labels: number[], classes: number, bits: number): number[][] => {
  const codes = draw(classes, bits, random(1, "loss"));
  return labels.map((label) => Array.from(codes.subarray(label * bits, (label + 1) * bits)));
};

/** One number for each triplet, of the distances or of the rows: positive pairs i < j, and every negative. */
function everyTriplet(
  rows: Rows,
  labels: number[],
  f: (ap: number, an: number, a: number[], p: number[], n: number[]) => number,
): number[] {
  return rows.flatMap((a, i) =>
    rows.flatMap((p, j) =>
      j > i && labels[i] === labels[j]
        ? rows.flatMap((n, k) =>
            labels[k] === labels[i] ? [] : [f(distance(a, p), distance(a, n), a, p, n)],
          )
        : [],
    ),
  );
}

/** One number for each pair, both ends anchors: the mean of f over its negatives with an² < ap² + reach. */
function pairMeans(
  rows: Rows,
  labels: number[],
  reach: number,
  f: (ap: number, an: number, a: number[], p: number[], n: number[]) => number,
): number[] {
  return rows.flatMap((a, i) =>
    others(rows, i).flatMap((j) => {
      if (labels[j] !== labels[i]) return [];
      const ap = distance(a, rows[j]);
      const negatives = rows.filter(
        (n, k) => labels[k] !== labels[i] && distance(a, n) ** 2 < ap ** 2 + reach,
      );
      return negatives.length ? [mean(negatives.map((n) => f(ap, distance(a, n), a, rows[j], n)))] : [];
    }),
  );
}

function contrastiveTerms(rows: Rows, labels: number[], margin: number): number[] {
  return rows.flatMap((a, i) =>
    rows.flatMap((b, j) => {
      if (j <= i) return [];
      const d = distance(a, b);
      return [labels[i] === labels[j] ? d ** 2 / 2 : Math.max(0, margin - d) ** 2 / 2];
    }),
  );
}

function crossEntropy(rows: Rows, labels: number[], variables: Float32Array[]): number {
  const [weights, bias, [slope]] = variables;
  const classes = bias.length;
  return mean(
    rows.map((row, i) => {
      const bent = row.map((x) => (x > 0 ? x : slope * x));
      const logits = Array.from(bias, (b, c) => b + sum(bent.map((x, k) => x * weights[k * classes + c])));
      return Math.log(sum(logits.map(Math.exp))) - logits[labels[i]];
    }),
  );
}

interface Case {
  name: string;
  loss: Loss;
  setup: Setup;
  unit: boolean;
  /**
   * @param variables the loss's own, as it started
   * @param origin where the gradient is taken: a straight-through sign is a line with the slope 1 there
   */
  equation(rows: Rows, labels: number[], variables: Float32Array[], origin: Rows): number;
}

const CASES: Case[] = [
  {
    name: "facenet",
    loss: facenet,
    setup: { selector: all, params: { margin: 0.4 } },
    unit: true,
    equation: (rows, labels) =>
      mean(everyTriplet(rows, labels, (ap, an) => Math.max(0, ap ** 2 - an ** 2 + 0.4))),
  },
  {
    name: "facenet, mean-negative",
    loss: facenet,
    setup: { selector: meanNegative, params: { margin: 0.4 } },
    unit: true,
    equation: (rows, labels) => mean(pairMeans(rows, labels, 0.4, (ap, an) => ap ** 2 - an ** 2 + 0.4)),
  },
  {
    name: "soft-margin, mean-negative",
    loss: softMargin,
    setup: { selector: meanNegative },
    unit: false,
    equation: (rows, labels) =>
      mean(pairMeans(rows, labels, Number.POSITIVE_INFINITY, (ap, an) => Math.log(1 + Math.exp(ap - an)))),
  },
  {
    name: "hoffer-ailon",
    loss: hofferAilon,
    setup: { selector: all },
    unit: false,
    equation: (rows, labels) =>
      mean(
        everyTriplet(rows, labels, (ap, an) => {
          const near = Math.exp(ap) / (Math.exp(ap) + Math.exp(an));
          const far = Math.exp(an) / (Math.exp(ap) + Math.exp(an));
          return near ** 2 + (far - 1) ** 2;
        }),
      ),
  },
  {
    name: "soft-margin",
    loss: softMargin,
    setup: { selector: all },
    unit: false,
    equation: (rows, labels) => mean(everyTriplet(rows, labels, (ap, an) => Math.log(1 + Math.exp(ap - an)))),
  },
  {
    name: "contrastive",
    loss: contrastive,
    setup: { selector: allPositive, selectorParams: { balanced: false }, params: { margin: 1.5 } },
    unit: false,
    equation: (rows, labels) => mean(contrastiveTerms(rows, labels, 1.5)),
  },
  {
    name: "softmax",
    loss: softmax,
    setup: { classes: 4 },
    unit: false,
    equation: crossEntropy,
  },
  {
    name: "identification-verification",
    loss: identificationVerification,
    setup: {
      classes: 4,
      selector: allPositive,
      selectorParams: { balanced: false },
      params: { margin: 1.5, weight: 0.3 },
    },
    unit: false,
    equation: (rows, labels, variables) =>
      crossEntropy(rows, labels, variables) + 0.3 * mean(contrastiveTerms(rows, labels, 1.5)),
  },
  {
    name: "multi-similarity",
    loss: multiSimilarity,
    setup: { params: { alpha: 2, beta: 40, base: 0.4, epsilon: 0.1 } },
    unit: true,
    equation: (rows, labels) =>
      mean(
        rows.map((a, i) => {
          const positives = others(rows, i).filter((j) => labels[j] === labels[i]);
          const negatives = others(rows, i).filter((j) => labels[j] !== labels[i]);
          const hardest = Math.max(...negatives.map((j) => cosine(a, rows[j])));
          const farthest = Math.min(...positives.map((j) => cosine(a, rows[j])));
          const near = positives.map((j) => cosine(a, rows[j])).filter((s) => s < hardest + 0.1);
          const far = negatives.map((j) => cosine(a, rows[j])).filter((s) => s > farthest - 0.1);
          if (near.length === 0 || far.length === 0) return 0;
          return (
            Math.log(1 + sum(near.map((s) => Math.exp(-2 * (s - 0.4))))) / 2 +
            Math.log(1 + sum(far.map((s) => Math.exp(40 * (s - 0.4))))) / 40
          );
        }),
      ),
  },
  {
    name: "supcon",
    loss: supcon,
    setup: { params: { temperature: 0.2 } },
    unit: true,
    equation: (rows, labels) =>
      mean(
        rows.map((a, i) => {
          const all = sum(others(rows, i).map((j) => Math.exp(cosine(a, rows[j]) / 0.2)));
          const positives = others(rows, i).filter((j) => labels[j] === labels[i]);
          return mean(positives.map((j) => -Math.log(Math.exp(cosine(a, rows[j]) / 0.2) / all)));
        }),
      ),
  },
  {
    name: "proxy-anchor",
    loss: proxyAnchor,
    setup: { classes: 5, params: { alpha: 16, delta: 0.1 } }, // one class more than the batch has
    unit: true,
    equation: (rows, labels, [values]) => {
      const proxies = rowsOf(values, rows[0].length).map(unit);
      const logs = (same: boolean) =>
        proxies.map((proxy, c) =>
          Math.log(
            1 +
              sum(
                rows
                  .filter((_, i) => (labels[i] === c) === same)
                  .map((row) =>
                    Math.exp(same ? -16 * (dot(row, proxy) - 0.1) : 16 * (dot(row, proxy) + 0.1)),
                  ),
              ),
          ),
        );
      const present = proxies.map((_, c) => c).filter((c) => labels.includes(c));
      return mean(present.map((c) => logs(true)[c])) + mean(logs(false));
    },
  },
];

const HASHING: Case[] = [
  {
    name: "dtsh",
    loss: dtsh,
    setup: { selector: all, params: { margin: 1.5, lambda: 0.3 } },
    unit: false,
    equation: (rows, labels) =>
      mean(everyTriplet(rows, labels, (_, __, a, p, n) => softplus(1.5 - (dot(a, p) - dot(a, n)) / 2))) +
      0.3 * mean(overBits(rows, (u) => (u - sign(u)) ** 2)),
  },
  {
    name: "dtsh, mean-negative",
    loss: dtsh,
    setup: { selector: meanNegative, params: { margin: 1.5, lambda: 0.3 } },
    unit: false,
    equation: (rows, labels) =>
      mean(pairMeans(rows, labels, 6, (_, __, a, p, n) => softplus(1.5 - (dot(a, p) - dot(a, n)) / 2))) +
      0.3 * mean(overBits(rows, (u) => (u - sign(u)) ** 2)),
  },
  {
    name: "dpsh",
    loss: dpsh,
    setup: { params: { lambda: 0.2 } },
    unit: false,
    equation: (rows, labels) =>
      mean(
        rows.flatMap((a, i) =>
          rows.slice(i + 1).map((b, k) => {
            const theta = dot(a, b) / 2;
            return softplus(theta) - (labels[i] === labels[i + 1 + k] ? theta : 0);
          }),
        ),
      ) +
      0.2 * mean(overBits(rows, (u) => (u - sign(u)) ** 2)),
  },
  {
    name: "greedyhash",
    loss: greedyhash,
    setup: { classes: 4, params: { alpha: 0.7 } },
    unit: false,
    equation: (rows, labels, variables, origin) => {
      const signs = rows.map((row, i) => row.map((u, k) => sign(origin[i][k]) + (u - origin[i][k])));
      const away = mean(overBits(rows, (u) => Math.abs(Math.abs(u) - 1) ** 3)) / rows[0].length;
      return crossEntropy(signs, labels, variables) + 0.7 * away;
    },
  },
  {
    name: "csq",
    loss: csq,
    setup: { classes: 5, params: { lambda: 0.4 } },
    unit: false,
    equation: (rows, labels) => {
      const centres = codesOf(hashCentres, labels, 5, rows[0].length);
      const entropy = rows.map((row, i) =>
        mean(
          row.map((u, k) => {
            const h = (Math.tanh(u) + 1) / 2;
            const c = (centres[i][k] + 1) / 2;
            return -c * Math.log(h) - (1 - c) * Math.log(1 - h);
          }),
        ),
      );
      const off = overBits(rows, (u) => Math.log(Math.cosh(Math.abs(Math.tanh(u)) - 1)));
      return mean(entropy) + (0.4 * mean(off)) / rows[0].length;
    },
  },
  {
    name: "triplet-embedding",
    loss: tripletEmbedding,
    setup: { classes: 4 },
    unit: false,
    equation: (rows, labels) => {
      const codes = codesOf(inferCodes, labels, 4, rows[0].length);
      return mean(rows.map((row, i) => mean(row.map((u, k) => Math.max(0, 1 - codes[i][k] * u)))));
    },
  },
];

const labels = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 0];
const DIM = 6;

describe.each([...CASES, ...HASHING])("$name", ({ loss, setup, unit: onSphere, equation }) => {
  const rowsFor = (seed: number) => randomRows(random(seed, "rows"), labels.length, DIM, onSphere);
  const valuesOf = (run: ReturnType<typeof start>) =>
    run.variables.map((variable) => Float32Array.from(variable.dataSync()));

  test.each([1, 2, 3])("value and gradient follow the equation (rows %i)", (seed) => {
    const rows = rowsFor(seed);
    const run = start(loss, DIM, setup);
    const variables = valuesOf(run);
    const found = lossOf(loss, rows, labels, setup, run);
    const expected = equation(rows, labels, variables, rows);
    expect(Math.abs(found.loss - expected)).toBeLessThan(1e-5 * expected);
    const gradient = finiteDifferences((at) => equation(at, labels, variables, rows), rows);
    expect(relativeError(found.gradient, gradient)).toBeLessThan(1e-5);
    for (const [index, own] of found.variables.entries()) {
      const wanted = finiteDifferences(
        ([values]) =>
          equation(
            rows,
            labels,
            variables.map((v, k) => (k === index ? (values as unknown as Float32Array) : v)),
            rows,
          ),
        [Array.from(variables[index])],
      );
      expect(relativeError([Array.from(own)], wanted)).toBeLessThan(1e-5);
    }
  });

  test("the order of the batch changes nothing but the order of the gradient", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...labels.keys()], { minLength: labels.length }), (order) => {
        // Positive pairs are i < j, so an order turns anchors into positives unless it keeps the order in a class.
        const kept = inClassOrder(order, labels);
        const rows = rowsFor(4);
        const plain = lossOf(loss, rows, labels, setup);
        const turned = lossOf(
          loss,
          kept.map((i) => rows[i]),
          kept.map((i) => labels[i]),
          setup,
        );
        expect(Math.abs(turned.loss - plain.loss)).toBeLessThan(1e-5 * plain.loss);
        expect(
          relativeError(
            turned.gradient,
            kept.map((i) => plain.gradient[i]),
          ),
        ).toBeLessThan(1e-4);
      }),
      { numRuns: 10, seed: 7 },
    );
  });

  // A classifier and proxies point somewhere: only the distances do not care.
  if ([facenet, hofferAilon, softMargin, contrastive, multiSimilarity, supcon].includes(loss as never))
    test("a rotation of the embeddings rotates the gradient", () => {
      fc.assert(
        fc.property(
          fc.nat(DIM - 1),
          fc.nat(DIM - 1),
          fc.double({ min: 0, max: 6.28, noNaN: true }),
          (a, b, angle) => {
            fc.pre(a !== b);
            const turn = (rows: Rows) =>
              rows.map((row) => {
                const out = [...row];
                out[a] = Math.cos(angle) * row[a] - Math.sin(angle) * row[b];
                out[b] = Math.sin(angle) * row[a] + Math.cos(angle) * row[b];
                return out;
              });
            const rows = rowsFor(5);
            const plain = lossOf(loss, rows, labels, setup);
            const turned = lossOf(loss, turn(rows), labels, setup);
            expect(Math.abs(turned.loss - plain.loss)).toBeLessThan(1e-5 * plain.loss);
            expect(relativeError(turned.gradient, turn(plain.gradient))).toBeLessThan(1e-4);
          },
        ),
        { numRuns: 10, seed: 7 },
      );
    });

  test("the same seed gives the same bytes", () => {
    const balanced = { ...setup, selectorParams: { balanced: true } }; // draws pairs at random, where it is asked
    const [a, b] = [1, 2].map(() => lossOf(loss, rowsFor(6), labels, balanced));
    expect(b.loss).toBe(a.loss);
    expect(b.gradient).toEqual(a.gradient);
    expect(b.variables).toEqual(a.variables);
  });

  const finite = ({ loss: value, gradient, variables }: ReturnType<typeof lossOf>) =>
    Number.isFinite(value) && [...gradient, ...variables].every((row) => row.every(Number.isFinite));

  test("identical images give a number and a gradient", () => {
    const same = labels.map(() => unit([1, 2, 3, 4, 5, 6]));
    expect(finite(lossOf(loss, same, labels, setup))).toBe(true);
    const zeros = labels.map(() => [0, 0, 0, 0, 0, 0]);
    expect(finite(lossOf(loss, zeros, labels, setup))).toBe(true);
  });

  test("two images at one place do not disturb the others' gradient", () => {
    const rows = rowsFor(8);
    rows[4] = [...rows[0]]; // of one class
    rows[1] = [...rows[0]]; // of another
    const found = lossOf(loss, rows, labels, setup);
    expect(finite(found)).toBe(true);
    expect(found.gradient.every((row) => Math.hypot(...row) < 100)).toBe(true);
  });

  test("a batch without a positive pair, and one of one class", () => {
    // Without the quantisation, which needs no triplet.
    const alone = { ...setup, params: { ...setup.params, lambda: 0 } };
    const apart = lossOf(loss, rowsFor(9).slice(0, 4), [0, 1, 2, 3], alone);
    expect(finite(apart)).toBe(true);
    const alike = lossOf(
      loss,
      rowsFor(9),
      labels.map(() => 1),
      alone,
    );
    expect(finite(alike)).toBe(true);
    if (loss.selects === "triplets")
      for (const { loss: value, gradient, run } of [apart, alike]) {
        expect(value).toBe(0);
        expect(gradient.flat().every((x) => x === 0)).toBe(true);
        expect(run.counters.selected).toBe(0);
      }
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("an embedding with %d is an error", (value) => {
    const rows = rowsFor(10);
    rows[3][2] = value;
    expect(() => lossOf(loss, rows, labels, setup)).toThrow(UserError);
    expect(() => lossOf(loss, rows, labels, setup)).toThrow(/NaN or infinite.*learning rate/);
  });

  if (loss.selects !== "nothing")
    test("so long that its square is infinite: an error too", () => {
      const rows = rowsFor(10);
      rows[3][2] = 1e30;
      expect(() => lossOf(loss, rows, labels, setup)).toThrow(/1 of the batch's 12 embeddings/);
    });

  test("params out of range are refused", () => {
    const schema = { type: "object", properties: loss.params ?? {}, additionalProperties: false };
    const check = new Ajv({ allowUnionTypes: true, keywords: ["optional"] }).compile(schema);
    expect(check({})).toBe(true);
    const weight = loss === greedyhash ? "alpha" : "lambda";
    const positive = ["margin", "temperature", "alpha"].filter((param) => param !== weight);
    if (loss.params?.[weight]) {
      expect(check({ [weight]: 0 })).toBe(true);
      expect(check({ [weight]: -1 })).toBe(false);
      expect(check({ [weight]: { steps: [0, 10], at: [0.4] } })).toBe(true);
    }
    for (const name of positive.filter((param) => loss.params?.[param])) {
      expect(check({ [name]: 0 })).toBe(false);
      expect(check({ [name]: -1 })).toBe(false);
      expect(check({ [name]: { from: 0.1, to: 0 } })).toBe(false);
      expect(check({ [name]: { from: 0.1, to: 0.5, over: 0.5, shape: "linear" } })).toBe(true);
    }
  });
});

/** The same order, with the members of each class in ascending order. */
function inClassOrder(order: number[], of: number[]): number[] {
  const next = new Map<number, number[]>();
  for (const i of [...order].sort((a, b) => a - b)) next.set(of[i], [...(next.get(of[i]) ?? []), i]);
  return order.map((i) => next.get(of[i])!.shift()!);
}

describe("given pairs and triplets", () => {
  const rows = randomRows(random(3, "rows"), 4, 3);
  const given: Given = {
    triplets: {
      anchors: Int32Array.of(0, 2),
      positives: Int32Array.of(1, 3),
      negatives: Int32Array.of(2, 0),
      count: 2,
    },
    pairs: {
      positive: { first: Int32Array.of(0), second: Int32Array.of(1), count: 1 },
      negative: { first: Int32Array.of(0, 1), second: Int32Array.of(2, 3), count: 2 },
    },
  };

  test.each(
    [hofferAilon, softMargin, dtsh].flatMap((loss) => [1, 60, 120].map((scale) => ({ loss, scale }))),
  )("one triplet after another agrees with all of them ($scale apart)", ({ loss, scale }) => {
    const apart = rows.map((row) => row.map((x) => x * scale));
    // Two classes of two: the triplets with i < j are (0,1,2), (0,1,3), (2,3,0), (2,3,1).
    const listed: Given = {
      triplets: {
        anchors: Int32Array.of(0, 0, 2, 2),
        positives: Int32Array.of(1, 1, 3, 3),
        negatives: Int32Array.of(2, 3, 0, 1),
        count: 4,
      },
    };
    const whole = lossOf(loss, apart, [0, 0, 1, 1], { selector: all });
    const single = lossOf(loss, apart, [0, 0, 1, 1], { given: listed });
    expect(Math.abs(single.loss / whole.loss - 1)).toBeLessThan(1e-6);
    expect(relativeError(single.gradient, whole.gradient)).toBeLessThan(1e-6);
  });

  test.each([hofferAilon, softMargin])("embeddings so far apart that exp overflows", (loss) => {
    const far = [[0], [1000], [3000], [9000]];
    const { loss: value, gradient } = lossOf(loss, far, [0, 0, 1, 1], { selector: all });
    // |a-p| - |a-n| of the four triplets: 1000-3000, 1000-9000, 6000-3000, 6000-2000.
    expect(value).toBeCloseTo(loss === softMargin ? (3000 + 4000) / 4 : 1, 6);
    expect(gradient.flat().every(Number.isFinite)).toBe(true);
  });

  test("take the place of a selector", () => {
    const triplet = lossOf(facenet, rows, [0, 0, 1, 1], { given, params: { margin: 0.5 } });
    const term = (a: number, p: number, n: number) =>
      Math.max(0, distance(rows[a], rows[p]) ** 2 - distance(rows[a], rows[n]) ** 2 + 0.5);
    expect(triplet.loss).toBeCloseTo((term(0, 1, 2) + term(2, 3, 0)) / 2, 6);
    expect(triplet.run.counters.selected).toBe(2);
    const pair = lossOf(contrastive, rows, [0, 0, 1, 1], { given, params: { margin: 3 } });
    const push = (a: number, b: number) => Math.max(0, 3 - distance(rows[a], rows[b])) ** 2 / 2;
    expect(pair.loss).toBeCloseTo((distance(rows[0], rows[1]) ** 2 / 2 + push(0, 2) + push(1, 3)) / 3, 6);
  });

  test("without any and without a selector it is an error that names the way out", () => {
    expect(() => lossOf(facenet, rows, [0, 0, 1, 1])).toThrow(/takes triplets.*random-triplets/);
    expect(() => lossOf(contrastive, rows, [0, 0, 1, 1])).toThrow(/takes pairs.*random-pairs/);
  });
});

test("zero loss and gradient when every negative is farther than the margin", () => {
  const rows = labels.map((label, i) => [10 * label, (i % 3) * 0.01, 0]);
  const triplet = lossOf(facenet, rows, labels, { selector: all, params: { margin: 1 } });
  expect(triplet.loss).toBe(0);
  expect(triplet.gradient.flat().every((x) => x === 0)).toBe(true);
  expect(triplet.run.counters.active).toBe(0);
  expect(triplet.run.counters.selected).toBeGreaterThan(0);
  const apart = lossOf(contrastive, rows.slice(0, 4), [0, 1, 2, 3], {
    selector: allPositive,
    selectorParams: { balanced: false },
  });
  expect(apart.loss).toBe(0);
  expect(apart.gradient.flat().every((x) => x === 0)).toBe(true);
  expect(apart.run.counters).toMatchObject({ selected: 6, active: 0 });
});

test("a label without weights is an error", () => {
  const rows = randomRows(random(1, "rows"), 2, 3);
  for (const loss of [softmax, proxyAnchor])
    expect(() => lossOf(loss, rows, [0, 7], { classes: 3 })).toThrow(/a label is 7, but there are 3 classes/);
});

test("a classifier counts what it got right, and neither pairs nor triplets", () => {
  const rows = [
    [3, 0],
    [0, 3],
  ];
  const run = start(softmax, 2, { classes: 2 });
  run.variables[0].assign(tf.tensor2d([1, 0, 0, 1], [2, 2]));
  lossOf(softmax, rows, [0, 0], { classes: 2 }, run);
  expect(run.counters).toMatchObject({ selected: 0, active: 0, correct: 1 });
});

describe("hashing", () => {
  const near = (found: number[], expected: number[]) => {
    for (const [k, value] of found.entries()) expect(value).toBeCloseTo(expected[k], 6);
  };

  test("all mean the signs of what they embed", () => {
    for (const { loss } of HASHING) expect(loss).toMatchObject({ codes: true, normalise: false });
  });

  test("dtsh: a margin of bits/2, by hand", () => {
    // theta of anchor and positive is 1, of anchor and negative 0, and half of two bits is 1.
    const codes = [
      [1, 1],
      [1, 1],
      [-1, 1],
    ];
    const { loss, gradient } = lossOf(dtsh, codes, [0, 0, 1], { selector: all });
    expect(loss).toBeCloseTo(Math.LN2, 6);
    // The slope 1/2 along theta, half of which goes to each output: (n - p) / 4 for the anchor.
    near(gradient[0], [-0.5, 0]);
    near(gradient[1], [-0.25, -0.25]);
    near(gradient[2], [0.25, 0.25]);
  });

  test("dtsh and dpsh: lambda times the squared distance to the signs, that of 0 being -1", () => {
    for (const loss of [dtsh, dpsh]) {
      const found = lossOf(loss, [[2, -0.5, 0]], [0], { selector: all, params: { lambda: 10 } });
      expect(found.loss).toBeCloseTo(10 * (1 + 0.25 + 1), 5);
      near(found.gradient[0], [20, 10, 20]);
    }
  });

  test("dtsh: selectors are told the margin in squared distances of codes", () => {
    const told: number[] = [];
    const selector: TripletSelector = {
      selects: "triplets",
      select(batch, margin, ...rest) {
        told.push(margin);
        return batchHard.select(batch, margin, ...rest);
      },
    };
    const rows = randomRows(random(1, "rows"), 8, 6);
    const { run } = lossOf(dtsh, rows, [0, 0, 1, 1, 2, 2, 3, 3], { selector });
    expect(told).toEqual([12]);
    expect(run.counters.selected).toBe(8);
  });

  test("dtsh: inner products so far apart that exp overflows, by hand", () => {
    // theta: 500 (0,1), -500 (0,2), 1500 (0,3), -15000 (2,3), -5000 (1,2).
    const rows = [[10], [100], [-100], [300]];
    const setup = { selector: all, params: { margin: 1, lambda: 0 } };
    const { loss, gradient } = lossOf(dtsh, rows, [0, 0, 1, 1], setup);
    expect(loss).toBeCloseTo((0 + 1001 + 14501 + 10001) / 4, 2);
    expect(gradient.flat().every(Number.isFinite)).toBe(true);
  });

  test("dpsh: a pair of one class and one of two, by hand", () => {
    const rows = [
      [2, 0],
      [1, 0],
    ];
    const params = { lambda: 0 };
    expect(lossOf(dpsh, rows, [0, 0], { params }).loss).toBeCloseTo(softplus(-1), 6);
    expect(lossOf(dpsh, rows, [0, 1], { params }).loss).toBeCloseTo(softplus(1), 6);
  });

  test("greedyhash: the classifier sees nothing but signs", () => {
    const rows = randomRows(random(2, "rows"), 5, 4);
    const setup = { classes: 3, params: { alpha: 0 } };
    const found = [0.01, 1, 100].map((scale) =>
      lossOf(
        greedyhash,
        rows.map((row) => row.map((u) => u * scale)),
        [0, 1, 2, 0, 1],
        setup,
      ),
    );
    for (const { loss, gradient } of found) {
      expect(loss).toBe(found[0].loss);
      expect(gradient).toEqual(found[0].gradient);
    }
  });

  test("csq and triplet-embedding: nothing between codes and their class's code, the most against it", () => {
    for (const [loss, draw, against] of [
      [csq, hashCentres, 40],
      [tripletEmbedding, inferCodes, 21],
    ] as const) {
      const codes = codesOf(draw, [0, 1, 2, 0], 3, 8);
      const scaled = (by: number) => codes.map((code) => code.map((bit) => by * bit));
      const setup = { classes: 3, params: { lambda: 0 } };
      const right = lossOf(loss, scaled(20), [0, 1, 2, 0], setup);
      expect(right.loss).toBeCloseTo(0, 6);
      expect(right.gradient.flat().every((slope) => Math.abs(slope) < 1e-12)).toBe(true);
      expect(lossOf(loss, scaled(-20), [0, 1, 2, 0], setup).loss).toBeCloseTo(against, 4);
    }
  });

  test.each(HASHING)("$name: outputs of any size give a number and a gradient", ({ loss, setup }) => {
    for (const scale of [1e-30, 1e4, 1e10]) {
      const rows = randomRows(random(3, "rows"), labels.length, DIM).map((row) => row.map((u) => u * scale));
      const found = lossOf(loss, rows, labels, setup);
      expect(Number.isFinite(found.loss)).toBe(true);
      expect(found.gradient.flat().every(Number.isFinite)).toBe(true);
    }
  });

  test("a label without a code is an error", () => {
    const rows = randomRows(random(1, "rows"), 2, 3);
    for (const loss of [csq, tripletEmbedding, greedyhash])
      expect(() => lossOf(loss, rows, [0, 7], { classes: 3 })).toThrow(/a label is 7, but there are 3/);
  });
});
