/** Hashing losses against PyTorch in float64, with one label an image and with several (see `source` of the values). */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { normaliseRows } from "../../stages/shared/artifacts/head.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { softTargets, targetLoss } from "../../stages/train/hashing/targets.ts";
import { type Loss, noCounts } from "../../stages/train/loss.ts";
import { halfLayer, halves } from "../../stages/train/losses/bihalf.ts";
import { fisherPairs } from "../../stages/train/losses/dfh.ts";
import { polarised } from "../../stages/train/losses/dpn.ts";
import { scoreTargets } from "../../stages/train/losses/orthohash.ts";
import { matrixLoss } from "../../stages/train/scoring/ops.ts";
import { type Rows, relativeError, rowsOf, withDefaults } from "../stages/train/helpers.ts";

interface Reference {
  params: Record<string, number>;
  value: number;
  gradient: Rows;
  given?: { targets?: Rows; weights?: Rows };
  gradient_weights?: Rows;
  codes?: Rows;
  added_gradient?: Rows;
}
interface Case {
  outputs: Rows;
  /** 0 or 1 for each class. */
  labels: Rows;
  several_labels: boolean;
  losses: Record<string, Reference>;
}

const { cases } = JSON.parse(readFileSync("test/conformance/hashing-losses.json", "utf8")) as {
  cases: Case[];
};
const numbered = cases.map((one) => [one.several_labels ? "several labels" : "one label", one] as const);

/** The params of a reference as they are called here. */
const lambda = ({ quantisation, margin: _, ...rest }: Record<string, number>) => ({
  ...rest,
  lambda: quantisation,
});
const SAME: Record<
  string,
  { loss: string; params?: (given: Record<string, number>) => Record<string, unknown> }
> = {
  dhn: { loss: "dhn", params: lambda },
  hashnet: { loss: "hashnet" },
  dsh: { loss: "dsh", params: lambda },
  dch: { loss: "dch" },
  idhn: { loss: "idhn" },
  lcdsh: { loss: "lcdsh" },
  qsmih: { loss: "qsmih", params: () => ({ lambda: 0 }) },
  dbdh: { loss: "dbdh" },
  dshsd: { loss: "dshsd" },
};

beforeAll(async () => {
  await startBackend("cpu");
});

const labelsOf = ({ labels }: Case) => Int32Array.from(labels, (row) => row.indexOf(1));
const setsOf = ({ labels, several_labels }: Case) =>
  several_labels ? Uint8Array.from(labels.flat()) : undefined;

/** A value, and its gradient with respect to the outputs and other variables. */
function slopesOf(one: Case, f: (outputs: tf.Tensor2D) => tf.Scalar, variables: tf.Variable[] = []) {
  const x = tf.variable(tf.tensor2d(one.outputs));
  const { value, grads } = tf.variableGrads(() => f(x as unknown as tf.Tensor2D), [x, ...variables]);
  const rows = (variable: tf.Variable) =>
    rowsOf(grads[variable.name].dataSync() as Float32Array, variable.shape[1]!);
  return { value: value.dataSync()[0], gradient: rows(x), weights: variables.map(rows) };
}

function expectSame(found: { value: number; gradient: Rows }, { value, gradient }: Reference) {
  expect(Math.abs(found.value - value) / Math.abs(value)).toBeLessThan(1e-5);
  expect(relativeError(found.gradient, gradient)).toBeLessThan(1e-5);
}

test("every reference is compared", () => {
  const others = ["dpn", "orthohash", "bihalf", "dfh/metric"];
  expect(Object.keys(cases[0].losses).sort()).toEqual([...Object.keys(SAME), ...others].sort());
});

describe.each(Object.entries(SAME))("%s", (reference, { loss: name, params = (given) => given }) => {
  test.each(numbered)("%s", async (_, one) => {
    const wanted = one.losses[reference];
    const loss = (await import(`../../stages/train/losses/${name}.ts`)).default as Loss;
    const given = withDefaults(loss, params(wanted.params));
    const run = loss.start({
      dim: one.outputs[0].length,
      classes: one.labels[0].length,
      params: given,
      random: random(1, "loss"),
    });
    if (wanted.given?.weights) run.variables[0].assign(tf.tensor2d(wanted.given.weights));
    const found = slopesOf(
      one,
      (outputs) => run.loss(outputs, labelsOf(one), given, { labelSets: setsOf(one) }),
      run.variables,
    );
    expectSame(found, wanted);
    if (wanted.gradient_weights)
      expect(relativeError(found.weights[0], wanted.gradient_weights)).toBeLessThan(1e-5);
  });
});

test.each(numbered)("dpn with given codes, %s", (_, one) => {
  const wanted = one.losses.dpn;
  const codes = Int8Array.from(wanted.given!.targets!.flat());
  const found = slopesOf(one, (outputs) =>
    targetLoss(outputs, labelsOf(one), codes, noCounts(), polarised(wanted.params.margin), setsOf(one)),
  );
  expectSame(found, wanted);
});

test.each(numbered)("orthohash with given codes, %s", (_, one) => {
  const wanted = one.losses.orthohash;
  const { scale, margin } = wanted.params;
  const classes = one.labels[0].length;
  const targets = softTargets(labelsOf(one), classes, setsOf(one));
  const found = slopesOf(one, (outputs) => {
    const codes = normaliseRows(tf.tensor2d(wanted.given!.targets!));
    const cosines = tf.matMul(normaliseRows(outputs), codes, false, true) as tf.Tensor2D;
    return matrixLoss(cosines, noCounts(), (values) => scoreTargets(values, targets, classes, scale, margin));
  });
  expectSame(found, wanted);
});

test.each(numbered)("dfh, its pairs, %s", (_, one) => {
  const wanted = one.losses["dfh/metric"];
  const [dim, classes] = [one.outputs[0].length, one.labels[0].length];
  const run = fisherPairs.start({ dim, classes, params: {}, random: random(1, "loss") });
  const params = { margin: wanted.params.margin };
  const given = { labelSets: setsOf(one) };
  expectSame(
    slopesOf(one, (outputs) => run.loss(outputs, labelsOf(one), params as never, given)),
    wanted,
  );
});

test.each(numbered)("bihalf: halves of each bit, and what the layer adds to the gradient, %s", (_, one) => {
  const wanted = one.losses.bihalf;
  const bits = one.outputs[0].length;
  expect(rowsOf(halves(Float32Array.from(one.outputs.flat()), bits), bits)).toEqual(wanted.codes);
  const found = slopesOf(
    one,
    (outputs) => tf.mul(tf.sum(halfLayer(outputs, wanted.params.gamma)), 0) as tf.Scalar,
  );
  expect(relativeError(found.gradient, wanted.added_gradient!)).toBeLessThan(1e-5);
});
