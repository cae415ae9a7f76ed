/** Values of tensors where they are. */
import * as tf from "@tensorflow/tfjs-core";
import type { Heap } from "./heap.ts";

/**
 * The values of a float32 tensor: on WebAssembly a view of its memory, which is void as soon as a tensor is made or
 * disposed of; on other backends a copy.
 */
export function valuesInPlace(tensor: tf.Tensor): Float32Array {
  const backend = tf.backend() as Partial<Heap>;
  return backend.typedArrayFromHeap?.(tensor) ?? (tensor.dataSync() as Float32Array);
}
