/**
 * Convolutions of the backend `native`, and their gradients: strided, padded unequally, dilated forward alone, and by
 * channel (depthwise). onnxruntime turns the channels to where it wants them.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { ConvolutionAttributes, ConvolutionKind } from "./graphs.ts";
import { type Attempt, type Call, type Heap, heapOf } from "./heap.ts";
import { Tensor } from "./onnxruntime.ts";

/** A runner of graphs. */
export type RunConvolution = (
  kind: ConvolutionKind,
  attributes: ConvolutionAttributes,
  feeds: Record<string, Tensor>,
  fetches: Record<string, Tensor>,
) => void;

type Shape4D = [number, number, number, number];
type Given = Record<string, never>;

/** Shapes and attributes of a convolution of x by a filter. @throws Error where the channels are first */
function read(x: number[], filter: number[], attrs: unknown, byChannel: boolean) {
  const { strides, pad, dataFormat = "NHWC", dilations = 1, dimRoundingMode } = attrs as Given;
  if (dataFormat !== "NHWC") throw new Error("convolution on native: channels must come last (NHWC)");
  const [input, weights] = [x as Shape4D, filter as Shape4D];
  const info = tf.backend_util.computeConv2DInfo(
    ...([input, weights, strides, dilations, pad, dimRoundingMode, byChannel] as const),
  );
  const { padInfo, inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth } = info;
  const { effectiveFilterHeight, effectiveFilterWidth, dilationHeight, dilationWidth } = info;
  const rest = [
    inHeight + padInfo.top + padInfo.bottom - effectiveFilterHeight - (outHeight - 1) * strideHeight,
    inWidth + padInfo.left + padInfo.right - effectiveFilterWidth - (outWidth - 1) * strideWidth,
  ];
  const attributes: ConvolutionAttributes = {
    strides: [strideHeight, strideWidth],
    pads: [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right],
    dilations: [dilationHeight, dilationWidth],
    group: byChannel ? info.inChannels : 1,
    rest,
    kernel: filter.slice(0, 2),
  };
  // By channel, each has its own filters: in memory they are filters of one channel.
  const stored = byChannel ? [...filter.slice(0, 2), 1, filter[2] * filter[3]] : filter;
  return { attributes, stored, out: info.outShape };
}

const view = (heap: Heap, info: tf.TensorInfo, shape = info.shape) =>
  new Tensor("float32", heap.typedArrayFromHeap(info), shape);

const forward = (run: RunConvolution, byChannel: boolean) => (call: Call) => {
  const { x, filter } = call.inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
  const { attributes, stored, out } = read(x.shape, filter.shape, call.attrs, byChannel);
  const heap = heapOf(call);
  const y = heap.makeOutput(out, "float32");
  run("forward", attributes, { a: view(heap, x), b: view(heap, filter, stored) }, { y: view(heap, y) });
  return y;
};

/** A convolution with a bias for each channel, as layers call it; undefined where more is fused into it. */
const biased =
  (run: RunConvolution): Attempt =>
  (call) => {
    const { x, filter, bias, preluActivationWeights } = call.inputs as Record<
      string,
      tf.TensorInfo | undefined
    >;
    const { activation = "linear", dataFormat = "NHWC" } = call.attrs as Given;
    if (activation !== "linear" || dataFormat !== "NHWC" || preluActivationWeights) return undefined;
    if (!x || !filter || bias?.shape.length !== 1) return undefined;
    const { attributes, stored, out } = read(x.shape, filter.shape, call.attrs, false);
    const heap = heapOf(call);
    const y = heap.makeOutput(out, "float32");
    const feeds = { a: view(heap, x), b: view(heap, filter, stored), bias: view(heap, bias) };
    run("biased", attributes, feeds, { y: view(heap, y) });
    return y;
  };

/** Kernels that go before the backend's own. */
export const attempts = (run: RunConvolution): [string, Attempt][] => [["FusedConv2D", biased(run)]];

const ofInput = (run: RunConvolution, byChannel: boolean) => (call: Call) => {
  const { dy, filter } = call.inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
  const { inputShape } = call.attrs as unknown as { inputShape: number[] };
  const { attributes, stored } = read(inputShape, filter.shape, call.attrs, byChannel);
  const heap = heapOf(call);
  const y = heap.makeOutput(inputShape, "float32");
  run("input", attributes, { a: view(heap, dy), b: view(heap, filter, stored) }, { y: view(heap, y) });
  return y;
};

const ofFilter = (run: RunConvolution, byChannel: boolean) => (call: Call) => {
  const { x, dy } = call.inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const { filterShape } = call.attrs as unknown as { filterShape: number[] };
  const { attributes, stored } = read(x.shape, filterShape, call.attrs, byChannel);
  const heap = heapOf(call);
  const y = heap.makeOutput(filterShape, "float32");
  run("filter", attributes, { a: view(heap, x), b: view(heap, dy) }, { y: view(heap, y, stored) });
  return y;
};

/** The kernels by their names. */
export const convolutions = (run: RunConvolution): [string, (call: Call) => tf.TensorInfo][] => [
  ["Conv2D", forward(run, false)],
  ["Conv2DBackpropInput", ofInput(run, false)],
  ["Conv2DBackpropFilter", ofFilter(run, false)],
  ["DepthwiseConv2dNative", forward(run, true)],
  ["DepthwiseConv2dNativeBackpropInput", ofInput(run, true)],
  ["DepthwiseConv2dNativeBackpropFilter", ofFilter(run, true)],
];
