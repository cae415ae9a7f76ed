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

/** The arguments of a kernel. */
export type Call = Parameters<tf.KernelFunc>[0];
/** A kernel that leaves some calls to another. */
export type Attempt = (call: Call) => tf.TensorInfo | undefined;

export const heapOf = ({ backend }: Call): Heap => backend as unknown as Heap;

/** The memory of the backend at work; undefined where that is not WebAssembly. */
export const memoryHere = (): WebAssembly.Memory | undefined =>
  tf.getBackend() === "wasm" ? (tf.backend() as unknown as Heap).wasm.asm?.memory : undefined;

/** Byte address of a tensor's values. */
export const addressOf = (heap: Heap, { dataId }: { dataId: object }): number => heap.getMemoryOffset(dataId);

/** Of this process: the bundles of several stages may share tfjs, whose kernels these are about. */
interface Shared {
  /** Memories whose backend has fast kernels. */
  fast: WeakSet<WebAssembly.Memory>;
  /** Gives the backend its own kernels back, where native ones are in their place. */
  stopNative?: () => void;
}
const NAME = Symbol.for("deephash.compute");
const global = globalThis as unknown as Record<symbol, Shared>;
global[NAME] ??= { fast: new WeakSet() };
export const shared: Shared = global[NAME];

/** Names of kernels that serve every call: no other may take their place. */
export const settled = new Set<string>();

/**
 * Puts a kernel that serves every call in the place of the backend's, if it has one.
 * @returns what takes it away again
 */
export function putInPlace(name: string, kernelFunc: (call: Call) => tf.TensorInfo): () => void {
  const present = tf.getKernel(name, "wasm");
  if (!present) tf.registerKernel({ kernelName: name, backendName: "wasm", kernelFunc });
  const undo = present ? putBefore(name, kernelFunc) : () => tf.unregisterKernel(name, "wasm");
  settled.add(name);
  return () => {
    undo();
    settled.delete(name);
  };
}

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
