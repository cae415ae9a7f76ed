/** The backend `webgpu`: tfjs on a GPU by Vulkan, Metal or Direct3D, with Dawn from npm's `webgpu`. Both are optional. */
import * as tf from "@tensorflow/tfjs-core";
import { putWebgpuKernels } from "./webgpu-kernels.ts";

/** How the two packages are added. */
export const ADD_WEBGPU = "npm install --no-save @tensorflow/tfjs-backend-webgpu@4.22 webgpu";

/** Kept out of the bundler's and the compiler's sight: optional. */
export const PACKAGES = { dawn: "webgpu", backend: "@tensorflow/tfjs-backend-webgpu" };

/** The properties of a WebGPU device. */
interface AdapterInfo {
  vendor: string;
  description: string;
  isFallbackAdapter: boolean;
}
interface Gpu {
  requestAdapter(options: object): Promise<{ info: AdapterInfo } | null>;
}
interface Dawn {
  create(options: string[]): Gpu;
  globals: object;
}

/** The one instance of Dawn of this process; tfjs looks for it in `navigator`, which Node 20 has not. */
async function gpuHere(): Promise<Gpu> {
  const scope = globalThis as unknown as { navigator?: { gpu?: Gpu } };
  if (!scope.navigator) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  const navigator = scope.navigator!;
  if (!navigator.gpu) {
    const { create, globals } = (await import(PACKAGES.dawn)) as Dawn;
    Object.assign(globalThis, globals);
    Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
  }
  return navigator.gpu!;
}

/** The part of tfjs's backend that reads values. */
interface Reader {
  device: {
    addEventListener(name: "uncapturederror", listen: (event: { error: Error }) => void): void;
  };
  read(dataId: object): Promise<unknown>;
}

/**
 * Lets no value out of a GPU that refused a command: it leaves out all commands that were submitted with it, and goes on.
 */
function guardReads(backend: Reader): void {
  let refused: string | undefined;
  backend.device.addEventListener("uncapturederror", ({ error }) => {
    refused ??= error.message.trim().split("\n")[0];
  });
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    const values = await read(dataId);
    if (refused !== undefined)
      throw new Error(`the GPU refused a command, so that its values are wrong: ${refused}`);
    return values;
  };
}

/** Shaders that are submitted together: each submission costs as much as several; until it, no memory is free again. */
const SUBMITTED = 32;

/** Whether this process has put its kernels in the place of tfjs's. */
let isReady = false;

/**
 * Puts tfjs on the GPU.
 * @returns the GPU's name
 * @throws Error where a package is missing, or there is no GPU
 */
export async function startWebgpu(): Promise<string> {
  const gpu = await gpuHere();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("there is no GPU, or no driver for it");
  await import(PACKAGES.backend);
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs could not start on the GPU");
  await tf.ready();
  tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", SUBMITTED);
  if (!isReady) {
    putWebgpuKernels();
    guardReads(tf.backend() as unknown as Reader);
  }
  isReady = true;
  const { vendor, description } = adapter.info;
  return description || vendor;
}
