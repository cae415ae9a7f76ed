/** The tensor backend: which one, why, and the kernels that it needs for speed. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { shared } from "./heap.ts";
import { putFastKernels } from "./kernels.ts";

/** `wasm` is the same arithmetic on every machine; `gpu` is tfjs-node-gpu. */
export type BackendName = "wasm" | "cpu" | "gpu";

/**
 * In tfjs's WebAssembly a product of batches of matrices with a transposed operand leaves the fast kernel (9 times
 * slower). Transposing first keeps every product on the fast path.
 */
function keepProductsFast(): void {
  const product = tf.getKernel("BatchMatMul", "wasm");
  const transpose = tf.getKernel("Transpose", "wasm");
  if (fast.has(product)) return;
  const flip = (x: tf.TensorInfo, backend: object): tf.TensorInfo => {
    const perm = x.shape.map((_, axis) => axis);
    perm.push(...perm.splice(perm.length - 2, 1));
    return transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as tf.TensorInfo;
  };
  const replacement: tf.KernelConfig = {
    ...product,
    kernelFunc({ inputs, backend, attrs }) {
      const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
      const [left, right] = [inputs.a!, inputs.b!];
      const a = transposeA ? flip(left, backend as object) : left;
      const b = transposeB ? flip(right, backend as object) : right;
      const plain = { ...attrs, transposeA: false, transposeB: false };
      const result = product.kernelFunc({ inputs: { a, b }, backend, attrs: plain });
      const { disposeData } = backend as { disposeData(id: object): boolean };
      if (transposeA) disposeData.call(backend, a.dataId);
      if (transposeB) disposeData.call(backend, b.dataId);
      return result;
    },
  };
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel(replacement);
  fast.add(replacement);
}

const fast = new WeakSet<tf.KernelConfig>();

/**
 * Makes a backend ready and returns its name ("wasm", "cpu" or "tensorflow") with the reason in words.
 * @throws Error when tfjs-node-gpu cannot be loaded and is asked for
 */
export async function startBackend(
  wanted: BackendName = "wasm",
): Promise<{ backend: string; reason: string }> {
  shared.stopNative?.(); // of a stage that ran before in this process
  const reason = `${wanted} was asked for`;
  if (wanted === "gpu") {
    try {
      const name = "@tensorflow/tfjs-node-gpu"; // kept out of the bundler's and the compiler's sight: optional
      await import(name);
      await tf.setBackend("tensorflow");
      await tf.ready();
      return { backend: tf.getBackend(), reason };
    } catch (error) {
      const why = (error as Error).message.split("\n")[0];
      throw new Error(`backend gpu: tfjs-node-gpu could not be loaded: ${why}`);
    }
  }
  if (wanted === "cpu") {
    await import("@tensorflow/tfjs-backend-cpu");
    await tf.setBackend("cpu");
  } else {
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + "/");
    await tf.setBackend("wasm");
    keepProductsFast();
    putFastKernels();
  }
  await tf.ready();
  return { backend: tf.getBackend(), reason };
}
