/**
 * Convolutions of the backend `native`, and their gradients: strided, padded unequally, dilated forward alone. Those of
 * single pixels are products of matrices; for others, onnxruntime turns the channels to where it wants them.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { ConvolutionAttributes, ConvolutionKind } from "./graphs.ts";
import { type Attempt, type Call, type Heap, heapOf } from "./heap.ts";
import { Tensor } from "./onnxruntime.ts";
import { BLOCKS, type Copies, unfold, unfolds } from "./unfold.ts";

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

/** Runs a product of two matrices, as they are stored, in a session. */
export type RunProduct = (
  transposeA: boolean,
  transposeB: boolean,
  feeds: Record<string, Tensor>,
  fetches: Record<string, Tensor>,
) => void;

/** The engines that the kernels run on. */
export interface Engines {
  convolve: RunConvolution;
  multiply: RunProduct;
  /** y = min(high, max(0, y)), in place. */
  clip(heap: Heap, y: tf.TensorInfo, high: number): void;
  /** Undefined where the engine has no vectors: no convolution is unfolded. */
  copies: Copies | undefined;
}

/** Whether a convolution is a product of matrices: of the pixels' channels by the filter, without any copy. */
const isPointwise = ({ kernel, strides, pads, group }: ConvolutionAttributes): boolean =>
  group === 1 && [...kernel, ...strides].every((one) => one === 1) && pads.every((pad) => pad === 0);

/** A tensor of images as a matrix of its pixels. */
const pixels = (heap: Heap, info: tf.TensorInfo, shape = info.shape): Tensor =>
  view(heap, info, [shape.slice(0, -1).reduce((product, length) => product * length, 1), shape.at(-1)!]);

const matrix = (heap: Heap, filter: tf.TensorInfo, shape: number[] = filter.shape): Tensor =>
  view(heap, filter, shape.slice(-2));

/** The matrix `[rows, columns]` from a row on. */
const rowsOf = (matrix: Tensor, first: number, rows: number): Tensor => {
  const columns = matrix.dims[1];
  const values = matrix.data as Float32Array;
  return new Tensor("float32", values.subarray(first * columns, (first + rows) * columns), [rows, columns]);
};

/** The convolution, perhaps with a bias for each channel, by the engine that suits it. */
function convolved(
  { convolve, multiply, copies }: Engines,
  call: Call,
  [x, filter]: tf.TensorInfo[],
  bias?: tf.TensorInfo,
): tf.TensorInfo {
  const { attributes, stored, out } = read(x.shape, filter.shape, call.attrs, false);
  const heap = heapOf(call);
  const y = heap.makeOutput(out, "float32");
  const more = (): Record<string, Tensor> => (bias ? { bias: view(heap, bias) } : {});
  if (isPointwise(attributes))
    multiply(
      false,
      false,
      { a: pixels(heap, x), b: matrix(heap, filter), ...more() },
      { y: pixels(heap, y) },
    );
  else if (copies && unfolds(attributes, x.shape[3]))
    unfold(heap, copies, x, attributes, out, BLOCKS.rows, ({ patches, first, rows }) => {
      const b = pixels(heap, filter);
      multiply(false, false, { a: patches, b, ...more() }, { y: rowsOf(pixels(heap, y), first, rows) });
    });
  else {
    const feeds = { a: view(heap, x), b: view(heap, filter, stored), ...more() };
    convolve(bias ? "biased" : "forward", attributes, feeds, { y: view(heap, y) });
  }
  return y;
}

const forward = (engines: Engines) => (call: Call) => {
  const { x, filter } = call.inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
  return convolved(engines, call, [x, filter]);
};

/** The upper limits of the activations that are computed in place. */
const LIMITS: Record<string, number | undefined> = { relu: Infinity, relu6: 6 };

/** A convolution with a bias for each channel and relu or relu6; undefined where more is fused into it. */
const biased =
  (engines: Engines): Attempt =>
  (call) => {
    const { x, filter, bias, preluActivationWeights } = call.inputs as Record<
      string,
      tf.TensorInfo | undefined
    >;
    const { activation = "linear", dataFormat = "NHWC" } = call.attrs as Given;
    const high = LIMITS[activation];
    if (activation !== "linear" && high === undefined) return undefined;
    if (dataFormat !== "NHWC" || preluActivationWeights) return undefined;
    if (!x || !filter || bias?.shape.length !== 1) return undefined;
    const y = convolved(engines, call, [x, filter], bias);
    if (high !== undefined) engines.clip(heapOf(call), y, high);
    return y;
  };

const ofInput =
  ({ convolve, multiply }: Engines, byChannel: boolean) =>
  (call: Call) => {
    const { dy, filter } = call.inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
    const { inputShape } = call.attrs as unknown as { inputShape: number[] };
    const { attributes, stored } = read(inputShape, filter.shape, call.attrs, byChannel);
    const heap = heapOf(call);
    const y = heap.makeOutput(inputShape, "float32");
    if (isPointwise(attributes))
      multiply(false, true, { a: pixels(heap, dy), b: matrix(heap, filter) }, { y: pixels(heap, y) });
    else
      convolve(
        "input",
        attributes,
        { a: view(heap, dy), b: view(heap, filter, stored) },
        { y: view(heap, y) },
      );
    return y;
  };

const ofFilter =
  ({ convolve, multiply, copies }: Engines, byChannel: boolean) =>
  (call: Call) => {
    const { x, dy } = call.inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const { filterShape } = call.attrs as unknown as { filterShape: number[] };
    const { attributes, stored } = read(x.shape, filterShape, call.attrs, byChannel);
    const heap = heapOf(call);
    const y = heap.makeOutput(filterShape, "float32");
    if (isPointwise(attributes))
      multiply(true, false, { a: pixels(heap, x), b: pixels(heap, dy) }, { y: matrix(heap, y) });
    else if (copies && unfolds(attributes, x.shape[3]))
      unfold(heap, copies, x, attributes, dy.shape, BLOCKS.sum, ({ patches, first, rows }) => {
        const [sum, b] = [pixels(heap, y), rowsOf(pixels(heap, dy), first, rows)];
        multiply(true, false, { a: patches, b, ...(first > 0 && { bias: sum }) }, { y: sum });
      });
    else
      convolve("filter", attributes, { a: view(heap, x), b: view(heap, dy) }, { y: view(heap, y, stored) });
    return y;
  };

/** Only what the backend's own gradients by channel do not compute: several filters a channel. */
const bySeveral =
  (kernel: (call: Call) => tf.TensorInfo): Attempt =>
  (call) => {
    const { filterShape } = call.attrs as unknown as { filterShape?: number[] };
    const shape = filterShape ?? (call.inputs.filter as tf.TensorInfo).shape;
    return shape[3] > 1 ? kernel(call) : undefined;
  };

/** Kernels that go before the backend's own. */
export const attempts = (engines: Engines): [string, Attempt][] => [
  ["FusedConv2D", biased(engines)],
  ["DepthwiseConv2dNativeBackpropInput", bySeveral(ofInput(engines, true))],
  ["DepthwiseConv2dNativeBackpropFilter", bySeveral(ofFilter(engines, true))],
];

/** The kernels by their names. */
export const convolutions = (engines: Engines): [string, (call: Call) => tf.TensorInfo][] => [
  ["Conv2D", forward(engines)],
  ["Conv2DBackpropInput", ofInput(engines, false)],
  ["Conv2DBackpropFilter", ofFilter(engines, false)],
];
