/** The weights of models of tfjs: as variables, and as plain values. */
import type * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";

/** A weight as layers hold it: its types keep the variable private. */
type Weight = layers.layers.Layer["weights"][number];

/** Weights of layers as tfjs's own variables. */
export const variablesOf = (weights: Weight[]): tf.Variable[] =>
  weights.map((weight) => (weight as unknown as { val: tf.Variable }).val);

/** The values of tensors, copied: a GPU's can only be awaited. */
export const valuesOf = (tensors: tf.Tensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map(async (tensor) => Float32Array.from((await tensor.data()) as Float32Array)));
