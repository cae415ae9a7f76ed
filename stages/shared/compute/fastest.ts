/** The backend `fastest`: a GPU's, else the CPU's faster one, each only if it does a small step as the CPU's plain one does. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients
import { startBackend } from "./backend.ts";
import { differenceOf, type GpuBackend, smallStep, type Tried, tryInChild } from "./trial.ts";

const ORDER: GpuBackend[] = ["gpu", "webgpu"];

/** A backend, why it was chosen, and whether a faster one is there and does not work. */
export interface Fastest {
  backend: GpuBackend | "native" | "wasm";
  reason: string;
  fallback: boolean;
}

/** Why the backend `native` cannot be taken; "" where it can. */
async function tryNative(): Promise<string> {
  await startBackend("cpu");
  const wanted = await smallStep(tf);
  try {
    const { startNative } = await import("./native.ts");
    const stop = await startNative();
    const values = await smallStep(tf);
    stop();
    return differenceOf(values, wanted);
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

/**
 * Chooses the first of gpu, webgpu, native and wasm that works. A GPU computed on the CPU (SwiftShader, llvmpipe) is not
 * taken: it is slower than the CPU itself.
 * @param small whether a step is too small for a GPU, as that of a head on features: it is not tried then. On an H100 such
 *   a step takes 27 ms by WebGPU, and 16 ms by `native` (`bench/gpu.ts`)
 * @param attempt how a GPU is tried @param native why `native` does not work, or "" @param signal ends a try
 */
export async function chooseFastest(
  small = false,
  attempt: (backend: GpuBackend, signal?: AbortSignal) => Promise<Tried> = tryInChild,
  native: () => Promise<string> = tryNative,
  signal?: AbortSignal,
): Promise<Fastest> {
  const reasons: string[] = [];
  let fallback = false;
  const choose = (backend: Fastest["backend"], reason: string): Fastest => ({
    backend,
    reason: [...reasons, `${backend}: ${reason}`].join("; "),
    fallback,
  });
  for (const backend of small ? [] : ORDER) {
    const tried = await attempt(backend, signal);
    if ("missing" in tried) reasons.push(`${backend}: ${tried.missing}`);
    else if ("failure" in tried) {
      reasons.push(`${backend}: ${tried.failure}`);
      fallback = true;
    } else if (tried.software) reasons.push(`${backend}: ${tried.device} computes on the CPU`);
    else return choose(backend, `${tried.device} does a small step as the CPU does`);
  }
  if (small) reasons.push("gpu, webgpu: slower for a head on features");
  const why = await native();
  if (!why) return choose("native", "it does a small step as the CPU does");
  reasons.push(`native: ${why}`);
  fallback = true;
  return choose("wasm", "runs everywhere");
}
