/** The interface of the files of networks/: parts of the stage `train`. */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import type { ParamSchemas, ParamsOf, PartDefinition, WithSchemas } from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import { variablesOf } from "../shared/compute/variables.ts";
import type { Model } from "../shared/onnx/model.ts";
import { drawMask } from "./engine/mask.ts";

/** The arguments of {@link NetworkDefinition.build}. */
export interface NetworkSetup<P = Record<string, unknown>> {
  /** Shape of one input: `[dim]` for features, `[height, width, channels]` for images. */
  input: number[];
  /** Length of the output. */
  dim: number;
  params: P;
  /** For the first weights. */
  seed: number;
  /** For dropout. */
  random: Random;
}

/** A network, for training and for use. */
export interface Network {
  /** The network with its weights, for saving and embedding: without dropout, batch norm by its running means. */
  model: layers.LayersModel;
  /** One training step's forward pass: batch norm by the batch's own means, dropout at work. */
  train(x: tf.Tensor): tf.Tensor2D;
  /** Where a backbone trains: those of its weights that do, in the order of the model's; all others are of the head. */
  backbone?: tf.Variable[];
  /** Where a backbone trains: the whole network from the images on as an ONNX model. @param normalise to length 1 */
  toModel?(normalise: boolean): Promise<Model>;
}

/** Builds a network. @typeParam P the params that it declares */
export interface NetworkDefinition<P = Record<string, unknown>> extends PartDefinition {
  /** The kind of its input. */
  takes: "features" | "images";
  build(setup: NetworkSetup<P>): Network;
}

/** Declares a network; the params of `build` have the types that its JSON Schemas accept. */
export function defineNetwork<const S extends ParamSchemas>(
  network: WithSchemas<NetworkDefinition<ParamsOf<S>>, S>,
): NetworkDefinition<ParamsOf<S>> {
  return network;
}

/**
 * Inverted dropout (Srivastava et al. 2014) whose mask comes from the seeded stream: a layer's own `seed` would
 * give the same mask at every step, and none would give another result at every run.
 * @param rate share of the values that become 0, in [0, 1)
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, random: Random): T {
  if (rate === 0) return x;
  return tf.mul(x, tf.tensor(drawMask(x.size, rate, random), x.shape)) as T;
}

/**
 * A dense layer without activation, as plain ops: the gradient of the layer's own fused product is computed for its
 * input as well, which for the first layer is a third of a step's work that nothing needs.
 * @param x `[batch, in]`
 * @returns `[batch, units]`
 */
export function applyDense(layer: layers.layers.Layer, x: tf.Tensor): tf.Tensor2D {
  const [kernel, bias] = variablesOf(layer.weights);
  const y = tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
  return (bias ? tf.add(y, bias) : y) as tf.Tensor2D;
}
