/** Layers with their activation as one operation, whose gradient needs the output alone: half the memory. */
import * as tf from "@tensorflow/tfjs-core";
import { SLOPES } from "../compute/depthwise.ts";
import type { Activation, ConvolutionStep } from "./steps.ts";

/** The slopes before an activation, of those of its output. @param y its output */
export function throughActivation<T extends tf.Tensor>(dy: T, y: T, activation: Activation): T {
  if (activation === "linear") return dy;
  if (tf.getKernel(SLOPES, tf.getBackend())) {
    const high = activation === "relu6" ? 6 : Number.POSITIVE_INFINITY;
    return tf.engine().runKernel(SLOPES, { dy, y }, { high });
  }
  if (activation === "relu") return tf.mul(dy, tf.step(y));
  return tf.mul(dy, tf.cast(tf.logicalAnd(tf.greater(y, 0), tf.less(y, 6)), "float32"));
}

/** The op that computes a convolution with its bias and activation, and those of its gradients. */
const KERNELS = {
  plain: ["FusedConv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"],
  depthwise: [
    "FusedDepthwiseConv2D",
    "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter",
  ],
} as const;

/** Attributes of tfjs's kernels; all of them take their pads one by one. */
const attributesOf = ({ strides, pads, dilations }: ConvolutionStep) => {
  const [top, left, bottom, right] = pads;
  return {
    strides,
    dilations,
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    dataFormat: "NHWC",
  };
};

/**
 * A convolution with its bias and activation.
 * @param x `[batch, height, width, channels]`
 * @param frozen whether nothing before it trains: the slopes of `x` are then not computed
 */
export function convolve(
  step: ConvolutionStep,
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D,
  frozen: boolean,
): tf.Tensor4D {
  if (step.groups > 1 && !step.depthwise) return inGroups(step, x, kernel, bias, frozen);
  const [forward, ofInput, ofFilter] = KERNELS[step.depthwise ? "depthwise" : "plain"];
  const attrs = attributesOf(step) as unknown as tf.NamedAttrMap;
  const run = (name: string, inputs: tf.NamedTensorMap, more: object): tf.Tensor =>
    tf.engine().runKernel(name, inputs, { ...attrs, ...more } as tf.NamedAttrMap);
  const { activation } = step;
  const compute = (image: tf.Tensor, w: tf.Tensor, b: tf.Tensor, save: tf.GradSaveFunc) => {
    const value = run(forward, { x: image, filter: w, bias: b }, { activation });
    save(activation === "linear" ? [image, w] : [image, w, value]);
    const gradFunc = (dy: tf.Tensor, [image, w, y]: tf.Tensor[]) => {
      const slopes = throughActivation(dy, y, activation);
      const dw = run(ofFilter, { x: image, dy: slopes }, { filterShape: w.shape });
      const db = tf.sum(slopes, [0, 1, 2]);
      if (frozen) return [dw, db];
      return [run(ofInput, { dy: slopes, filter: w }, { inputShape: image.shape }), dw, db];
    };
    return { value, gradFunc };
  };
  // Slopes are computed for the arguments.
  const op = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as tf.GradSaveFunc;
    const [image, w, b] = (frozen ? [x, ...given] : given) as tf.Tensor[];
    return compute(image, w, b, save);
  });
  return (frozen ? op(kernel, bias) : op(x, kernel, bias)) as tf.Tensor4D;
}

/** A convolution for each group of channels. */
function inGroups(
  step: ConvolutionStep,
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D,
  frozen: boolean,
): tf.Tensor4D {
  const kernels = tf.split<tf.Tensor4D>(kernel, step.groups, 3);
  const offsets = tf.split<tf.Tensor1D>(bias, step.groups);
  const outputs = tf
    .split<tf.Tensor4D>(x, step.groups, 3)
    .map((image, group) => convolve({ ...step, groups: 1 }, image, kernels[group], offsets[group], frozen));
  return tf.concat<tf.Tensor4D>(outputs, 3);
}

/** A fully connected layer with its activation. @param x `[batch, in]` @param kernel `[in, out]` */
export function dense(
  x: tf.Tensor2D,
  kernel: tf.Tensor2D,
  bias: tf.Tensor1D,
  activation: Activation,
): tf.Tensor2D {
  const y = tf.add(tf.matMul(x, kernel), bias) as tf.Tensor2D;
  return activation === "relu" ? tf.relu(y) : activation === "relu6" ? tf.relu6(y) : y;
}
