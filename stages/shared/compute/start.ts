/** The backend that a stage's param names. */
import { UserError } from "../../../runner/stage.ts";
import { type BackendName, startBackend } from "./backend.ts";

/** The values of the param `backend`. `auto` is what {@link autoBackend} makes of it, and else `wasm`. */
export type BackendParam = BackendName | "webgpu" | "native" | "fastest" | "auto";

/** Of a stage's declaration: the same bytes on every machine where a profile compares exactly, else speed. */
export const autoBackend = { backend: { exact: "wasm", tolerance: "fastest" } };
/** As {@link autoBackend}, for a stage whose work is too little for a GPU. */
export const autoOnCpu = { backend: { exact: "wasm", tolerance: "native" } };

/** Whether a backend takes a GPU, whose memory only the end of the process gives back. */
export const takesGpu = (backend: string): boolean => backend === "gpu" || backend === "webgpu";

/** A backend that has started. */
export interface Started {
  backend: string;
  /** In words. */
  reason: string;
  /** Whether a faster one is there and does not work. */
  fallback: boolean;
}

/** Starts one backend. @returns the name of its GPU, if it has one */
async function start(
  backend: Exclude<BackendParam, "fastest" | "auto">,
  cpus: number,
): Promise<string | undefined> {
  if (backend === "native") {
    const { startNative } = await import("./native.ts");
    await startNative(undefined, cpus);
  } else if (backend === "webgpu") {
    await startBackend("wasm"); // for the work beside the GPU, see host.ts
    const { startWebgpu } = await import("./webgpu.ts");
    return startWebgpu();
  } else await startBackend(backend);
  return undefined;
}

/** The next step where a requested backend does not start. */
async function adviceOn(backend: BackendParam, why: string): Promise<string> {
  if (backend !== "webgpu" || !/Cannot find (package|module)/.test(why)) return "Take the backend wasm.";
  const { ADD_WEBGPU } = await import("./webgpu.ts");
  return `Add its packages (${ADD_WEBGPU}), or take the backend wasm.`;
}

/**
 * Starts the backend; onnxruntime and a GPU's packages are loaded where they are asked for alone.
 * @param stage for messages
 * @param cpus that the products and convolutions of `native` may use: their results do not depend on it
 * @param small whether `fastest` leaves out GPUs, see `chooseFastest`
 * @param signal ends the tries of `fastest`
 * @throws UserError where one that was asked for cannot start
 */
export async function startNamed(
  wanted: BackendParam,
  stage: string,
  cpus = 1,
  small = false,
  signal?: AbortSignal,
): Promise<Started> {
  if (wanted === "fastest") {
    const { chooseFastest } = await import("./fastest.ts");
    const chosen = await chooseFastest(small, undefined, undefined, signal);
    await start(chosen.backend, cpus);
    return chosen;
  }
  const backend = wanted === "auto" ? "wasm" : wanted;
  try {
    const device = await start(backend, cpus);
    const reason = `${backend} was asked for${device ? `, on ${device}` : ""}`;
    return { backend, reason, fallback: false };
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    throw new UserError(
      `${stage}: the backend ${backend} cannot start: ${why}. ${await adviceOn(backend, why)}`,
    );
  }
}
