/** The CPU beside a GPU whose values can only be awaited: it computes kernels that need values at once. */
import * as tf from "@tensorflow/tfjs-core";

/** The backend that reads no value at once, and the one that works beside it. */
const [DEVICE, HOST] = ["webgpu", "wasm"];

/** Whether two backends are at work: the network's, and the one beside it. */
export const hasHost = (): boolean => tf.getBackend() === DEVICE;

/** Runs work on the backend beside the GPU; without one, on the backend at work. Its tensors stay there. */
export async function onHost<T>(work: () => T | Promise<T>): Promise<T> {
  if (!hasHost()) return work();
  await tf.setBackend(HOST);
  try {
    return await work();
  } finally {
    await tf.setBackend(DEVICE);
  }
}
