/** The gradients of a depthwise convolution for tfjs's WebAssembly backend, which has none. */
import * as tf from "@tensorflow/tfjs-core";
import type { Channels } from "./channels.ts";
import { addressOf, type Call, heapOf } from "./heap.ts";

type Shape4D = [number, number, number, number];

/** The kernel of the slopes through an activation: inputs `dy` and `y`, the activation's output; attribute `high`. */
export const SLOPES = "ClippedSlopes";

/** Shapes of a convolution. @throws Error where a channel has several filters, or they are dilated */
function geometry(input: number[], filter: number[], attrs: unknown) {
  const { strides, pad, dilations = 1, dimRoundingMode } = attrs as Record<string, never>;
  const [x, w] = [input as Shape4D, filter as Shape4D];
  const info = tf.backend_util.computeConv2DInfo(x, w, strides, dilations, pad, dimRoundingMode, true);
  if (filter[3] !== 1 || info.dilationHeight !== 1 || info.dilationWidth !== 1)
    throw new Error("gradient of a depthwise convolution on WebAssembly: one filter a channel, not dilated");
  return info;
}

/**
 * The taps of a filter that touch a place of the input: a = first, first + stride, …; the outputs that they belong to
 * descend from `output` on.
 * @param at place of the input, from the padded image's edge
 */
function tapsAt(at: number, stride: number, taps: number, outputs: number) {
  // Of all a with a ≡ at (mod stride), those whose output (at - a) / stride is one.
  const least = Math.max(0, at - (outputs - 1) * stride);
  const first = least + ((((at - least) % stride) + stride) % stride);
  const last = Math.min(taps - 1, at);
  const count = first > last ? 0 : Math.floor((last - first) / stride) + 1;
  return { first, count, output: (at - first) / stride };
}

/** dx[place] = Σ dy[output] w[tap] over all taps that touch the place. */
const ofInput = (channels: Channels) => (call: Call) => {
  const { dy, filter } = call.inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
  const { inputShape } = call.attrs as unknown as { inputShape: number[] };
  const info = geometry(inputShape, filter.shape, call.attrs);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const heap = heapOf(call);
  const result = heap.makeOutput(inputShape, "float32");
  heap.typedArrayFromHeap(result).fill(0);
  const [from, weights, to] = [dy, filter, result].map((one) => addressOf(heap, one));
  const pixel = 4 * inChannels;
  const columns = Array.from({ length: inWidth }, (_, x) =>
    tapsAt(x + padInfo.left, strideWidth, filterWidth, outWidth),
  );
  // Neighbours, a stride apart, with the same taps go in one call.
  const runs: { x: number; count: number }[] = [];
  const seen = new Set<number>();
  for (let x = 0; x < inWidth; x++) {
    if (seen.has(x)) continue;
    let count = 0;
    for (let next = x; next < inWidth; next += strideWidth, count++) {
      const [a, b] = [columns[x], columns[next]];
      if (a.first !== b.first || a.count !== b.count) break;
      seen.add(next);
    }
    if (columns[x].count > 0) runs.push({ x, count });
  }
  const lines = Array.from({ length: inHeight }, (_, y) =>
    tapsAt(y + padInfo.top, strideHeight, filterHeight, outHeight),
  );
  for (let n = 0; n < batchSize; n++)
    for (const [y, line] of lines.entries()) {
      if (line.count === 0) continue;
      for (const { x, count } of runs) {
        const column = columns[x];
        channels.gather(
          {
            rows: line.count,
            columns: column.count,
            xRow: -outWidth * pixel,
            xColumn: -pixel,
            wRow: strideHeight * filterWidth * pixel,
            wColumn: strideWidth * pixel,
            xStep: pixel,
            yStep: strideWidth * pixel,
          },
          from + ((n * outHeight + line.output) * outWidth + column.output) * pixel,
          weights + (line.first * filterWidth + column.first) * pixel,
          to + ((n * inHeight + y) * inWidth + x) * pixel,
          count,
          inChannels,
        );
      }
    }
  return result;
};

/** dw[tap] = Σ x[place] dy[output] over all images and outputs whose tap is in the image. */
const ofFilter = (channels: Channels) => (call: Call) => {
  const { x, dy } = call.inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const { filterShape } = call.attrs as unknown as { filterShape: number[] };
  const info = geometry(x.shape, filterShape, call.attrs);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const heap = heapOf(call);
  const result = heap.makeOutput(filterShape, "float32");
  heap.typedArrayFromHeap(result).fill(0);
  const [images, slopes, to] = [x, dy, result].map((one) => addressOf(heap, one));
  const pixel = 4 * inChannels;
  const columns = Array.from({ length: filterWidth }, (_, b) => {
    const first = Math.max(0, Math.ceil((padInfo.left - b) / strideWidth));
    const last = Math.min(outWidth - 1, Math.floor((inWidth - 1 + padInfo.left - b) / strideWidth));
    return { first, count: last - first + 1, at: first * strideWidth + b - padInfo.left };
  });
  for (let n = 0; n < batchSize; n++)
    for (let out = 0; out < outHeight; out++)
      for (let a = 0; a < filterHeight; a++) {
        const row = out * strideHeight + a - padInfo.top;
        if (row < 0 || row >= inHeight) continue;
        for (const [b, { first, count, at }] of columns.entries())
          if (count > 0)
            channels.correlate(
              images + ((n * inHeight + row) * inWidth + at) * pixel,
              slopes + ((n * outHeight + out) * outWidth + first) * pixel,
              to + (a * filterWidth + b) * pixel,
              count,
              strideWidth * pixel,
              pixel,
              inChannels,
            );
      }
  return result;
};

/** Slopes where an activation lets them through: 0 < y < high. */
const throughClip = (channels: Channels) => (call: Call) => {
  const { dy, y } = call.inputs as { dy: tf.TensorInfo; y: tf.TensorInfo };
  const { high } = call.attrs as unknown as { high: number };
  const heap = heapOf(call);
  const result = heap.makeOutput(y.shape, "float32");
  const [slopes, values, out] = [dy, y, result].map((one) => addressOf(heap, one));
  channels.mask(slopes, values, out, tf.util.sizeFromShape(y.shape), high);
  return result;
};

/** The kernels by their names. */
export const depthwiseKernels = (channels: Channels): [string, (call: Call) => tf.TensorInfo][] => [
  ["DepthwiseConv2dNativeBackpropInput", ofInput(channels)],
  ["DepthwiseConv2dNativeBackpropFilter", ofFilter(channels)],
  [SLOPES, throughClip(channels)],
];
