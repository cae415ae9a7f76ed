/** The WebAssembly backend of tfjs from inside, as kernels of this project use it. */
import * as tf from "@tensorflow/tfjs-core";

/** The part of the backend that is used. Views of its memory are void as soon as a tensor is made or disposed of. */
export interface Heap {
  wasm: { asm?: { memory?: WebAssembly.Memory } };
  makeOutput(shape: number[], dtype: "float32"): tf.TensorInfo;
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array;
  getMemoryOffset(dataId: object): number;
  disposeData(dataId: object): boolean;
  incRef(dataId: object): void;
}

/** What a kernel is called with. */
export type Call = Parameters<tf.KernelFunc>[0];
/** A kernel that leaves some calls to another. */
export type Attempt = (call: Call) => tf.TensorInfo | undefined;

export const heapOf = ({ backend }: Call): Heap => backend as unknown as Heap;

/** The memory of the backend at work; undefined where that is not WebAssembly. */
export const memoryHere = (): WebAssembly.Memory | undefined =>
  tf.getBackend() === "wasm" ? (tf.backend() as unknown as Heap).wasm.asm?.memory : undefined;

/** Byte address of a tensor's values. */
export const addressOf = (heap: Heap, { dataId }: { dataId: object }): number => heap.getMemoryOffset(dataId);

/**
 * Puts a kernel before the one of the WebAssembly backend, which gets the calls that it leaves.
 * @returns what takes it away again
 */
export function putBefore(name: string, attempt: Attempt): () => void {
  const kernel = tf.getKernel(name, "wasm");
  const own = kernel.kernelFunc;
  kernel.kernelFunc = (call) => attempt(call) ?? own(call);
  return () => {
    kernel.kernelFunc = own;
  };
}
