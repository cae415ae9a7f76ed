/** Optimizers against PyTorch 1.13: five steps of a weight and a bias, and the rates of one cycle. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { updater } from "../../../../stages/train/loop/optimizer.ts";
import { fitsOneBuffer } from "../../../../stages/train/loop/optimizer-webgpu.ts";
import { checkRates, ratesAt } from "../../../../stages/train/loop/rates.ts";
import type { OptimizerOptions } from "../../../../stages/train/loop/updater.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

/** The weight and the bias after five steps. @param rates of the weight (in the group backbone) and of the bias */
function trained(options: OptimizerOptions, [backbone, head]: number[] = [0.05, 0.05]): number[] {
  const weight = tf.variable(tf.tensor2d([1, -2, 3, 0.5, 0.25, -0.125], [2, 3]));
  const bias = tf.variable(tf.tensor1d([0.1, 0.2, 0.3]));
  const { update } = updater([weight, bias], options, [weight]);
  for (let step = 0; step < 5; step++)
    tf.tidy(() =>
      update(
        [
          tf.tensor2d(
            Array.from({ length: 6 }, (_, i) => Math.sin(3 * step + i)),
            [2, 3],
          ),
          tf.tensor1d(Array.from({ length: 3 }, (_, i) => Math.cos(2 * step + i))),
        ],
        { head, backbone },
      ),
    );
  return [...weight.dataSync(), ...bias.dataSync()];
}
const near = (got: number[], wanted: number[]) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(got[i], `value ${i}`).toBeCloseTo(value, 5);
};

describe("an optimizer gives the weights of PyTorch", () => {
  const adam = [0.973487, -2.075608, 2.930686, 0.451656, 0.32693, -0.054812];
  it.each<[string, OptimizerOptions, number[] | undefined, number[]]>([
    ["adam", { optimizer: "adam" }, undefined, [...adam, 0.01562, 0.16476, 0.418296]],
    [
      "adam with weight decay, of the weight alone",
      { optimizer: "adam", weightDecay: 0.3 },
      undefined,
      [0.902121, -1.926615, 2.71554, 0.417731, 0.305258, -0.048948, 0.01562, 0.16476, 0.418296],
    ],
    [
      "adam with clipped gradients and weight decay",
      { optimizer: "adam", clip: 0.5, weightDecay: 0.1 },
      undefined,
      [0.949825, -2.025799, 2.856672, 0.439343, 0.320418, -0.051966, 0.015675, 0.163828, 0.417254],
    ],
    [
      "adam with a rate a group",
      { optimizer: "adam" },
      [0.05, 0.001],
      [...adam, 0.098312, 0.199295, 0.302366],
    ],
    [
      "sgd",
      { optimizer: "sgd" },
      undefined,
      [1.001273, -2.100511, 2.890115, 0.481768, 0.340184, -0.009315, -0.028571, 0.195099, 0.423275],
    ],
    [
      "sgd with clipped gradients",
      { optimizer: "sgd", clip: 0.5 },
      undefined,
      [1.000437, -2.024117, 2.973501, 0.495483, 0.271618, -0.097123, 0.069712, 0.19834, 0.328495],
    ],
  ])("%s", (_, options, rates, wanted) => near(trained(options, rates), wanted));

  it("leaves short gradients, and gradients of nothing", () => {
    expect(trained({ optimizer: "adam", clip: 100 })).toEqual(trained({ optimizer: "adam" }));
    const weight = tf.variable(tf.ones([2]));
    const { update } = updater([weight], { optimizer: "adam", clip: 1, weightDecay: 1 });
    update([undefined], { head: 1, backbone: 1 });
    expect([...weight.dataSync()]).toEqual([1, 1]);
  });

  it("leaves no memory behind", () => {
    for (const optimizer of ["adam", "sgd"] as const) {
      const weight = tf.variable(tf.ones([3, 2]));
      const { update } = updater([weight], { optimizer, clip: 1, weightDecay: 0.1 });
      const step = () => tf.tidy(() => update([tf.ones([3, 2])], { head: 0.1, backbone: 0.1 }));
      step();
      const before = tf.memory().numTensors;
      for (let i = 0; i < 4; i++) step();
      expect(tf.memory().numTensors).toBe(before);
    }
  });
});

it("an optimizer that ends frees its tensors, and leaves the weights", () => {
  for (const optimizer of ["adam", "sgd"] as const) {
    const weight = tf.variable(tf.ones([3, 2]));
    const before = tf.memory().numTensors;
    const { update, dispose } = updater([weight], { optimizer, clip: 1 });
    tf.tidy(() => update([tf.ones([3, 2])], { head: 0.1, backbone: 0.1 }));
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(weight.dataSync()).toHaveLength(6);
  }
});

it("a GPU moves weights in one array only where all values and moments fit into a buffer", () => {
  const limits = { maxStorageBufferBindingSize: 4 * 256 * 2 * 3, maxBufferSize: 2 ** 31 };
  Object.assign(tf.backend(), { device: { limits } });
  const weights = [tf.variable(tf.ones([256])), tf.variable(tf.ones([1]))]; // a block each
  expect(fitsOneBuffer(weights, "adam")).toBe(true);
  expect(fitsOneBuffer([...weights, weights[0]], "adam")).toBe(false);
  expect(fitsOneBuffer([...weights, weights[0]], "sgd")).toBe(true);
  limits.maxBufferSize = 1000;
  expect(fitsOneBuffer(weights, "sgd")).toBe(false);
});

describe("learning rates", () => {
  it("are those of a schedule for all, or one for each group", () => {
    expect(ratesAt(0.1, 0.5)).toEqual({ head: 0.1, backbone: 0.1 });
    expect(ratesAt({ from: 1, to: 3 }, 0.5)).toEqual({ head: 2, backbone: 2 });
    expect(ratesAt({ head: { from: 1, to: 3 }, backbone: 0.1 }, 0.5)).toEqual({ head: 2, backbone: 0.1 });
  });

  it("of a backbone that does not train are refused", () => {
    checkRates({ head: 1, backbone: 1 }, true);
    checkRates(1, false);
    expect(() => checkRates({ head: 1, backbone: 1 }, false)).toThrow(
      new UserError(
        'train: learning_rate names the rates of head and backbone, but no backbone trains. Give one rate, or name the part "backbone".',
      ),
    );
  });
});
