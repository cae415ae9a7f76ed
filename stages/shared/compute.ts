/** The tensor backend: which one, why, and the one gradient that must be mended for speed. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients of tfjs-core

/** `wasm` is the same arithmetic on every machine; `gpu` is tfjs-node-gpu; `auto` takes gpu where it loads. */
export type BackendName = "wasm" | "cpu" | "gpu" | "auto";

/**
 * On WebAssembly a matrix product with a transposed operand leaves the fast kernel (9 times slower), and
 * the stock gradient asks for nothing else. Transposing first keeps every product on the fast path.
 */
function registerFastMatMulGradient(): void {
  const flip = (x: tf.Tensor): tf.Tensor => {
    const order = x.shape.map((_, axis) => axis);
    order.push(order.splice(order.length - 2, 1)[0]);
    return tf.transpose(x, order);
  };
  tf.unregisterGradient("BatchMatMul");
  tf.registerGradient({
    kernelName: "BatchMatMul",
    inputsToSave: ["a", "b"],
    gradFunc(dy, saved, attributes) {
      const { transposeA, transposeB } = attributes as unknown as {
        transposeA: boolean;
        transposeB: boolean;
      };
      const a = transposeA ? flip(saved[0]) : saved[0];
      const b = transposeB ? flip(saved[1]) : saved[1];
      const gradient = dy as tf.Tensor;
      return {
        a: () => {
          const da = tf.matMul(gradient, flip(b));
          return transposeA ? flip(da) : da;
        },
        b: () => {
          const db = tf.matMul(flip(a), gradient);
          return transposeB ? flip(db) : db;
        },
      };
    },
  });
}

/**
 * Makes a backend ready and returns its name ("wasm", "cpu" or "tensorflow") with the reason in words.
 * A `gpu` that cannot be loaded is an error; under `auto` it is said in `reason` and WebAssembly is taken.
 */
export async function startBackend(
  wanted: BackendName = "wasm",
): Promise<{ backend: string; reason: string }> {
  registerFastMatMulGradient();
  let reason = `${wanted} was asked for`;
  if (wanted === "gpu" || wanted === "auto") {
    try {
      const name = "@tensorflow/tfjs-node-gpu"; // kept out of the bundler's and the compiler's sight: optional
      await import(name);
      await tf.setBackend("tensorflow");
      await tf.ready();
      registerFastMatMulGradient();
      return { backend: tf.getBackend(), reason: `tfjs-node-gpu loaded (${wanted} was asked for)` };
    } catch (error) {
      const why = (error as Error).message.split("\n")[0];
      if (wanted === "gpu") throw new Error(`backend gpu: tfjs-node-gpu could not be loaded: ${why}`);
      reason = `tfjs-node-gpu could not be loaded (${why})`;
    }
  }
  if (wanted === "cpu") {
    await import("@tensorflow/tfjs-backend-cpu");
    await tf.setBackend("cpu");
  } else {
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + "/");
    await tf.setBackend("wasm");
  }
  await tf.ready();
  return { backend: tf.getBackend(), reason };
}
