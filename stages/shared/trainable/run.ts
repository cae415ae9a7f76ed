/** Runs a trainable network in tfjs. */
import * as tf from "@tensorflow/tfjs-core";
import { convolve, dense } from "./convolve.ts";
import type { PoolStep, Step, Trainable } from "./steps.ts";

const explicit = ([top, left, bottom, right]: PoolStep["pads"]): [number, number][] => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

function pool({ op, kernel, strides, pads, countPads }: PoolStep, x: tf.Tensor4D): tf.Tensor4D {
  const padded = pads.some((pad) => pad > 0);
  if (op === "max") return tf.maxPool(x, kernel, strides, padded ? (explicit(pads) as never) : "valid");
  if (!padded || countPads)
    return tf.avgPool(padded ? tf.pad(x, explicit(pads)) : x, kernel, strides, "valid");
  // Only the pixels of the image count: as their sum over the sum of ones.
  const ones = tf.ones([1, x.shape[1], x.shape[2], 1]) as tf.Tensor4D;
  const [values, counts] = [x, ones].map((one) =>
    tf.avgPool(tf.pad(one, explicit(pads)), kernel, strides, "valid"),
  );
  return tf.div(values, counts);
}

/** Values within the limits; slopes pass where they are. */
function clip(x: tf.Tensor, low: number | null, high: number | null): tf.Tensor {
  if (low === 0 && high === null) return tf.relu(x);
  if (low === 0 && high === 6) return tf.relu6(x);
  return tf.clipByValue(x, low ?? -Number.MAX_VALUE, high ?? Number.MAX_VALUE);
}

/** Looks tensors and weights up by their names. */
interface Lookup {
  of(name: string): tf.Tensor;
  weight(name: string): tf.Tensor;
}

function run(step: Step, { of, weight }: Lookup, frozen: boolean): tf.Tensor {
  const x = of(step.x);
  const image = x as tf.Tensor4D;
  switch (step.op) {
    case "convolution":
      return convolve(
        step,
        image,
        weight(step.kernel) as tf.Tensor4D,
        weight(step.bias) as tf.Tensor1D,
        frozen,
      );
    case "dense": {
      const [batch] = x.shape;
      const flat = (x.rank === 2 ? x : tf.reshape(x, [batch, -1])) as tf.Tensor2D;
      return dense(
        flat,
        weight(step.kernel) as tf.Tensor2D,
        weight(step.bias) as tf.Tensor1D,
        step.activation,
      );
    }
    case "scale":
      return tf.add(tf.mul(x, weight(step.scale)), weight(step.shift));
    case "clip":
      return clip(x, step.low, step.high);
    case "add":
      return tf.add(x, of(step.other));
    case "max":
    case "average":
      return pool(step, image);
    case "mean":
      return tf.mean(image, [1, 2], !step.flat);
    case "flatten": {
      const [batch, height = 1, width = 1] = x.shape;
      const turned = x.rank === 4 && height * width > 1 ? tf.transpose(x, [0, 3, 1, 2]) : x;
      return tf.reshape(turned, [batch, -1]);
    }
  }
}

/**
 * Runs a network; outside a gradient, each tensor is freed after its last use.
 * @param x `[batch, height, width, channels]`, or `[batch, dim]`
 * @param weights of the network, in its order
 * @returns `[batch, dim]`, or an image where the network gives one
 */
export function runTrainable(
  { from, to, steps, weights: named }: Trainable,
  x: tf.Tensor,
  weights: tf.Tensor[],
) {
  const fixed = new Map(named.map(({ name }, index) => [name, weights[index]]));
  const tensors = new Map<string, tf.Tensor>([[from, x]]);
  const lookup: Lookup = { of: (name) => tensors.get(name)!, weight: (name) => fixed.get(name)! };
  const readBy = (step: Step) => [step.x, ...(step.op === "add" ? [step.other] : [])];
  const lastUse = new Map(steps.flatMap((step, at) => readBy(step).map((name) => [name, at] as const)));
  const taped = tf.engine().state.gradientDepth > 0;
  for (const [at, step] of steps.entries()) {
    tensors.set(step.y, run(step, lookup, step.x === from));
    if (taped) continue;
    for (const name of new Set(readBy(step)))
      if (name !== from && name !== to && lastUse.get(name) === at) tensors.get(name)!.dispose();
  }
  return tensors.get(to)!;
}
