/** A network as a list of steps: an ONNX graph whose weights can be trained. */

/** A conv's or a dense layer's own activation: relu max(0, x), relu6 min(6, max(0, x)). */
export type Activation = "linear" | "relu" | "relu6";

/** [height, width] */
export type Pair = [number, number];
/** [top, left, bottom, right], as ONNX writes them. */
export type Pads = [number, number, number, number];

/** Names of tensors: those that a step reads and the one that it writes. */
interface Named {
  x: string;
  y: string;
}

/** Names of weights; see {@link Weight} for their layouts. */
interface Weighted extends Named {
  kernel: string;
  bias: string;
  activation: Activation;
}

export interface ConvolutionStep extends Weighted {
  op: "convolution";
  strides: Pair;
  pads: Pads;
  dilations: Pair;
  /** Channels of the input and the output in so many groups; as many as the input has channels: depthwise. */
  groups: number;
  depthwise: boolean;
}

export interface PoolStep extends Named {
  op: "max" | "average";
  kernel: Pair;
  strides: Pair;
  pads: Pads;
  /** Whether an average counts the zeros around the image. */
  countPads: boolean;
}

/** One operation. Images are `[batch, height, width, channels]`, vectors `[batch, dim]`. */
export type Step =
  | ConvolutionStep
  | PoolStep
  /** A fully connected layer on vectors. */
  | (Weighted & { op: "dense" })
  /** Batch norm that could not be folded into a convolution; its numbers are frozen. */
  | (Named & { op: "scale"; scale: string; shift: string })
  /** Values below `low` become `low`, above `high` `high`; null: no limit. */
  | (Named & { op: "clip"; low: number | null; high: number | null })
  | (Named & { op: "add"; other: string })
  /** The mean over height and width. `flat`: as a vector, else as an image of one pixel. */
  | (Named & { op: "mean"; flat: boolean })
  /** An image as a vector, channel by channel, as ONNX lays it out. */
  | (Named & { op: "flatten" });

/**
 * A weight. Kernels of convolutions are `[height, width, in / groups, out]`, those of depthwise ones
 * `[height, width, in, out / in]`, those of dense layers `[in, out]`.
 */
export interface Weight {
  name: string;
  shape: number[];
  values: Float32Array;
  trainable: boolean;
}

/** A network from one tensor to another. */
export interface Trainable {
  /** The tensor that enters, and the one that comes out. */
  from: string;
  to: string;
  /** In the order they run. */
  steps: Step[];
  weights: Weight[];
}
