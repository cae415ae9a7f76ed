/**
 * The gradients of convolution filters as products and sums. On WebGPU tfjs computes each value of a filter in one
 * thread, which walks over all pixels of the batch: of the first layers of a network, whose filters are small and images
 * large, a GPU is idle but for a few threads. Here the pixels are what runs in parallel.
 */
import * as tf from "@tensorflow/tfjs-core";

/** Pixels for each place of a filter below which tfjs's own kernel is as fast: each place costs several kernels here. */
const LEAST_PIXELS = 2048;
/** Tiles of the results of products that keep a large GPU at work, and a tile's side. */
const [ENOUGH_TILES, TILE] = [256, 32];

type Call = Parameters<tf.KernelFunc>[0];
type Info = tf.backend_util.Conv2DInfo;

/** Kernels of a backend by name, whose outputs are disposed of all at once but for the last. */
class Kernels {
  private readonly made: tf.TensorInfo[] = [];
  private readonly backend: object;
  private readonly name: string;

  constructor(backend: object, name: string) {
    this.backend = backend;
    this.name = name;
  }

  run(kernel: string, inputs: tf.NamedTensorInfoMap, attrs: object = {}): tf.TensorInfo {
    const { kernelFunc } = tf.getKernel(kernel, this.name);
    const made = kernelFunc({ inputs, backend: this.backend, attrs: attrs as tf.NamedAttrMap });
    this.made.push(made as tf.TensorInfo);
    return made as tf.TensorInfo;
  }

  reshape = (x: tf.TensorInfo, shape: number[]) => this.run("Reshape", { x }, { shape });
  sum = (x: tf.TensorInfo) => this.run("Sum", { x }, { axis: [0], keepDims: false });

  /** Joins tensors along a new first axis, then gives them a shape. */
  join(parts: tf.TensorInfo[], shape: number[]): tf.TensorInfo {
    if (parts.length === 1) return this.reshape(parts[0], shape);
    const rows = parts.map((part) => this.reshape(part, [1, tf.util.sizeFromShape(part.shape)]));
    // The one kernel that takes a list.
    return this.reshape(this.run("Concat", rows as unknown as tf.NamedTensorInfoMap, { axis: 0 }), shape);
  }

  /** Disposes of all but a result. */
  keep(result: tf.TensorInfo): tf.TensorInfo {
    const { disposeData } = this.backend as { disposeData(id: object): boolean };
    for (const { dataId } of this.made.filter((one) => one !== result))
      disposeData.call(this.backend, dataId);
    return result;
  }
}

/** The pixels under each place of the filter, place by place: `[batch, outHeight, outWidth, channels]`. */
function* places(kernels: Kernels, x: tf.TensorInfo, info: Info): Generator<tf.TensorInfo> {
  const { filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth } = info;
  if (filterHeight * filterWidth * strideHeight * strideWidth === 1) return yield x;
  const { top, bottom, left, right } = info.padInfo;
  const around = [[0, 0], [top, bottom], [left, right], [0, 0]]; // biome-ignore format: a line
  const padded =
    top + bottom + left + right > 0 ? kernels.run("PadV2", { x }, { paddings: around, constantValue: 0 }) : x;
  const [batch, , , channels] = x.shape;
  for (let row = 0; row < filterHeight; row++)
    for (let column = 0; column < filterWidth; column++)
      yield kernels.run(
        "StridedSlice",
        { x: padded },
        {
          begin: [0, row, column, 0],
          end: [
            batch,
            row + (outHeight - 1) * strideHeight + 1,
            column + (outWidth - 1) * strideWidth + 1,
            channels,
          ],
          strides: [1, strideHeight, strideWidth, 1],
          ...{ beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
        },
      );
}

/** In how many parts the pixels go that are summed up each by itself, so that more products run at once. */
function partsOf(rows: number, inChannels: number, outChannels: number): number {
  const tiles = Math.ceil(inChannels / TILE) * Math.ceil(outChannels / TILE);
  const least = Math.ceil(ENOUGH_TILES / tiles);
  for (let parts = least; parts < 4 * least && parts * TILE <= rows; parts++)
    if (rows % parts === 0) return parts;
  return 1;
}

/** `[inChannels, outChannels]`: the images times the slopes, over all pixels. */
function product(kernels: Kernels, x: tf.TensorInfo, dy: tf.TensorInfo, info: Info): tf.TensorInfo {
  const all = info.batchSize * info.outHeight * info.outWidth;
  const groups = partsOf(all, info.inChannels, info.outChannels);
  const rows = all / groups;
  const made = kernels.run(
    "BatchMatMul",
    {
      a: kernels.reshape(x, [groups, rows, info.inChannels]),
      b: kernels.reshape(dy, [groups, rows, info.outChannels]),
    },
    { transposeA: true, transposeB: false },
  );
  return groups === 1 ? kernels.reshape(made, made.shape.slice(1)) : kernels.sum(made);
}

/** `[channels]`: the images times the slopes, channel by channel, over all pixels. */
function channelSums(kernels: Kernels, x: tf.TensorInfo, dy: tf.TensorInfo, info: Info): tf.TensorInfo {
  const made = kernels.run("Multiply", { a: x, b: dy });
  return kernels.sum(
    kernels.reshape(made, [info.batchSize * info.outHeight * info.outWidth, info.outChannels]),
  );
}

/** Another way to the gradient of some filters; undefined for those that it leaves. */
type Direct = (
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: Info,
  depthwise: boolean,
) => tf.TensorInfo | undefined;

/**
 * The kernels `Conv2DBackpropFilter` and `DepthwiseConv2dNativeBackpropFilter` of a backend.
 * @param leastPixels see {@link LEAST_PIXELS}; what has fewer is left to the backend's own
 * @param direct is tried first
 */
export function filterGradients(
  backendName: string,
  leastPixels = LEAST_PIXELS,
  direct: Direct = () => undefined,
): tf.KernelConfig[] {
  return (["Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter"] as const).map((kernelName) => {
    const depthwise = kernelName !== "Conv2DBackpropFilter";
    const own = tf.getKernel(kernelName, backendName)?.kernelFunc;
    const kernelFunc = (call: Call) => {
      const { x, dy } = call.inputs as Record<"x" | "dy", tf.TensorInfo>;
      const info = infoOf(x, call.attrs, depthwise);
      const taps = info.filterHeight * info.filterWidth;
      const pixels = info.batchSize * info.outHeight * info.outWidth;
      const isFew = (depthwise || taps > 1) && pixels < leastPixels * taps;
      const isOdd = info.dataFormat !== "channelsLast" || (depthwise && info.outChannels !== info.inChannels);
      const isDilated = info.dilationHeight * info.dilationWidth > 1;
      const done = isOdd || isDilated ? undefined : direct(x, dy, info, depthwise);
      if (done) return done;
      if (own && (isFew || isOdd || isDilated)) return own(call);
      const kernels = new Kernels(call.backend as object, backendName);
      const reduce = depthwise ? channelSums : product;
      const parts = [...places(kernels, x, info)].map((part) => reduce(kernels, part, dy, info));
      return kernels.keep(kernels.join(parts, info.filterShape));
    };
    return { kernelName, backendName, kernelFunc };
  });
}

function infoOf(x: tf.TensorInfo, attrs: unknown, depthwise: boolean): Info {
  const { strides, pad, filterShape, dataFormat, dilations, dimRoundingMode } = attrs as Record<
    string,
    never
  >;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat ?? "NHWC");
  return tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    format,
  );
}

/** Registers them in the place of the backend's own. */
export function putFilterGradients(backendName: string, direct: Direct): void {
  for (const config of filterGradients(backendName, LEAST_PIXELS, direct)) {
    if (tf.getKernel(config.kernelName, backendName)) tf.unregisterKernel(config.kernelName, backendName);
    tf.registerKernel(config);
  }
}
