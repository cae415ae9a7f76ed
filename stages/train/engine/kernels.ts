/**
 * The kernels that WebAssembly lacks for training convolutions: the gradient of a filter is missing, and those of the input and of
 * a max pool are loops that take several times as long as the forward pass. Here a convolution's gradients are
 * convolutions themselves, which have a fast kernel.
 */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import { type Heap, settled } from "../../shared/compute/heap.ts";
import { variablesOf } from "../../shared/compute/variables.ts";
import { maxPoolGradient } from "./max-pool.ts";
import { putPreluGradient } from "./prelu.ts";
import "@tensorflow/tfjs-layers"; // registers the gradients that some of these take the place of

type Shape4D = [number, number, number, number];

/** Registers the kernels in the place of the backend's own; again and again without harm. */
export function registerTrainingKernels(): void {
  putPreluGradient();
  for (const config of [filterGradient, inputGradient, poolGradient]) {
    if (settled.has(config.kernelName)) continue;
    const present = tf.getKernel(config.kernelName, "wasm");
    if (present?.kernelFunc === config.kernelFunc) continue;
    if (present) tf.unregisterKernel(config.kernelName, "wasm");
    tf.registerKernel(config);
  }
}

/**
 * The output of a convolution layer of stride 1 without padding, for pixels: the layer's own gradient is computed for
 * its input as well, which nothing needs.
 */
export function firstConvolution(layer: layers.layers.Layer, pixels: tf.Tensor): tf.Tensor {
  const [filter, bias] = variablesOf(layer.weights);
  const attrs = { strides: 1, pad: "valid", dataFormat: "NHWC", filterShape: filter.shape };
  const convolve = tf.customGrad((...given) => {
    const [w, b, save] = given as [tf.Tensor4D, tf.Tensor1D, tf.GradSaveFunc];
    save([pixels]);
    const value = tf.fused.conv2d({ x: pixels as tf.Tensor4D, filter: w, bias: b, strides: 1, pad: "valid" });
    const gradFunc = (dy: tf.Tensor, [x]: tf.Tensor[]) => [
      tf.engine().runKernel("Conv2DBackpropFilter", { x, dy }, attrs) as tf.Tensor,
      tf.sum(dy, [0, 1, 2]),
    ];
    return { value, gradFunc };
  });
  return convolve(filter, bias);
}

/**
 * dfilter[a, b, ci, co] = Σ x[n, y+a, x+b, ci] dy[n, y, x, co]: the convolution of x with dy, with the images of the
 * batch as channels and the channels as images; with strides, a product for each place of the filter.
 */
const filterGradient: tf.KernelConfig = {
  kernelName: "Conv2DBackpropFilter",
  backendName: "wasm",
  kernelFunc({ inputs, backend, attrs }) {
    const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const { filterShape } = attrs as unknown as { filterShape: Shape4D };
    const info = infoOf(x.shape, filterShape, attrs);
    const { top, bottom, left, right } = info.padInfo;
    const heap = backend as unknown as Heap;
    if (info.strideHeight > 1 || info.strideWidth > 1) return byPlace(heap, x, dy, info, filterShape);
    const kernel = kernels(heap);
    const images = kernel("Transpose", { x }, { perm: [3, 1, 2, 0] });
    const filter = kernel("Transpose", { x: dy }, { perm: [1, 2, 0, 3] });
    const turned = kernel("Conv2D", { x: images, filter }, padded(top, bottom, left, right));
    const result = kernel("Transpose", { x: turned }, { perm: [1, 2, 0, 3] });
    kernel.dispose(images, filter, turned);
    return result;
  },
};

/** The gradient of each place of a filter as the product of the pixels that it sees with the slopes. */
function byPlace(
  heap: Heap,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  { padInfo, batchSize, outHeight, outWidth, strideHeight, strideWidth }: tf.backend_util.Conv2DInfo,
  filterShape: Shape4D,
): tf.TensorInfo {
  const kernel = kernels(heap);
  const [height, width, channels, filters] = filterShape;
  const { top, bottom, left, right } = padInfo;
  const paddings = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const whole = kernel("PadV2", { x }, { paddings, constantValue: 0 });
  const rows = batchSize * outHeight * outWidth;
  const b = { ...dy, shape: [1, rows, filters] };
  const result = heap.makeOutput(filterShape, "float32");
  for (let place = 0; place < height * width; place++) {
    const [y, x] = [Math.floor(place / width), place % width];
    const slice = {
      begin: [0, y, x, 0],
      end: [
        batchSize,
        y + (outHeight - 1) * strideHeight + 1,
        x + (outWidth - 1) * strideWidth + 1,
        channels,
      ],
      strides: [1, strideHeight, strideWidth, 1],
      ...{ beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
    };
    const seen = kernel("StridedSlice", { x: whole }, slice);
    const a = { ...seen, shape: [1, rows, channels] };
    const product = kernel("BatchMatMul", { a, b }, { transposeA: true, transposeB: false });
    heap.typedArrayFromHeap(result).set(heap.typedArrayFromHeap(product), place * channels * filters);
    kernel.dispose(seen, product);
  }
  kernel.dispose(whole);
  return result;
}

/** dx = the convolution of dy, its pixels as far apart as the strides, with the filter turned around, its channels exchanged. */
const inputGradient: tf.KernelConfig = {
  kernelName: "Conv2DBackpropInput",
  backendName: "wasm",
  kernelFunc({ inputs, backend, attrs }) {
    const { dy, filter } = inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
    const { inputShape } = attrs as unknown as { inputShape: Shape4D };
    const info = infoOf(inputShape, filter.shape, attrs);
    const { padInfo, filterHeight, filterWidth, inHeight, inWidth } = info;
    const heap = backend as unknown as Heap;
    const kernel = kernels(heap);
    const strided = info.strideHeight > 1 || info.strideWidth > 1;
    const slopes = strided ? spread(heap, dy, info) : dy;
    const reversed = kernel("Reverse", { x: filter }, { dims: [0, 1] });
    const turned = kernel("Transpose", { x: reversed }, { perm: [0, 1, 3, 2] });
    const result = kernel(
      "Conv2D",
      { x: slopes, filter: turned },
      padded(
        filterHeight - 1 - padInfo.top,
        inHeight + padInfo.top - slopes.shape[1],
        filterWidth - 1 - padInfo.left,
        inWidth + padInfo.left - slopes.shape[2],
      ),
    );
    kernel.dispose(reversed, turned, ...(strided ? [slopes] : []));
    return result;
  },
};

/** Slopes with zeros between their pixels, as far apart as the strides. */
function spread(
  heap: Heap,
  dy: tf.TensorInfo,
  { strideHeight, strideWidth, outHeight, outWidth }: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const [images, , , channels] = dy.shape;
  const [height, width] = [(outHeight - 1) * strideHeight + 1, (outWidth - 1) * strideWidth + 1];
  const result = heap.makeOutput([images, height, width, channels], "float32");
  const [from, to] = [heap.typedArrayFromHeap(dy), heap.typedArrayFromHeap(result).fill(0)];
  for (let n = 0, at = 0; n < images; n++)
    for (let y = 0; y < outHeight; y++)
      for (let x = 0; x < outWidth; x++, at += channels) {
        const place = (n * height + y * strideHeight) * width + x * strideWidth;
        to.set(from.subarray(at, at + channels), place * channels);
      }
  return result;
}

/** A pass over the windows, see {@link maxPoolGradient}. */
const poolGradient: tf.KernelConfig = {
  kernelName: "MaxPoolGrad",
  backendName: "wasm",
  kernelFunc({ inputs, backend, attrs }) {
    const { dy, input } = inputs as { dy: tf.TensorInfo; input: tf.TensorInfo };
    const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as Record<string, never>;
    const shape = input.shape as Shape4D;
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    return maxPoolGradient(backend as unknown as Heap, input, dy, info);
  },
};

/** @throws Error for arguments that are not used here and would need other formulas */
function infoOf(input: number[], filter: number[], attrs: unknown): tf.backend_util.Conv2DInfo {
  const { strides, pad, dataFormat, dimRoundingMode } = attrs as Record<string, never>;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  const [x, w] = [input as Shape4D, filter as Shape4D];
  const info = tf.backend_util.computeConv2DInfo(x, w, strides, 1, pad, dimRoundingMode, false, format);
  if (format !== "channelsLast")
    throw new Error("gradient of conv2d on WebAssembly: only channels last are supported");
  return info;
}

/** Attributes of a convolution with these rows and columns of zeros around. */
const padded = (top: number, bottom: number, left: number, right: number) => ({
  strides: [1, 1],
  dilations: [1, 1],
  dataFormat: "NHWC",
  pad: [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ],
});

/** Runs kernels of the backend by name, and gives back their outputs' memory. */
function kernels(heap: Heap) {
  const run = (name: string, inputs: tf.NamedTensorInfoMap, attrs: object): tf.TensorInfo =>
    tf
      .getKernel(name, "wasm")
      .kernelFunc({ inputs, backend: heap, attrs: attrs as tf.NamedAttrMap }) as tf.TensorInfo;
  const dispose = (...used: tf.TensorInfo[]) => {
    for (const { dataId } of used) heap.disposeData(dataId);
  };
  return Object.assign(run, { dispose });
}
