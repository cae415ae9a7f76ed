/** Whether a backend computes a small training step as WebAssembly does; a GPU's in a process of its own. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Tf from "@tensorflow/tfjs-core";
import { PACKAGES } from "./webgpu.ts";

/** The backends of a GPU. */
export type GpuBackend = "gpu" | "webgpu";

/** The GPU by name, and whether it is one; or why the backend cannot be taken. */
export type Tried = { device: string; software: boolean } | { missing: string } | { failure: string };

/** tfjs with the gradients registered. */
type Tensorflow = typeof Tf;

/** The largest difference from WebAssembly's values, over the largest of these. */
const LARGEST_DIFFERENCE = 1e-3;
/** Seconds that a GPU has. */
const PATIENCE = 120;

/**
 * The values that a small step gives: two layers and a convolution, with their gradients.
 * Its text also runs in the child: it may use nothing but its argument.
 */
export async function smallStep(tf: Tensorflow): Promise<number[]> {
  const wave = (shape: number[], rate: number) => {
    const size = shape.reduce((product, length) => product * length);
    return tf.tensor(
      Float32Array.from({ length: size }, (_, k) => Math.sin(rate * (k + 1))),
      shape,
    );
  };
  const [first, second] = [wave([48, 64], 0.7), wave([64, 8], 1.3)].map((values) => tf.variable(values));
  const [x, pixels, filter] = [wave([40, 48], 0.3), wave([2, 12, 12, 8], 0.9), wave([3, 3, 8, 16], 1.1)];
  const { value, grads } = tf.variableGrads(() => {
    const hidden = tf.relu(tf.matMul(x as Tf.Tensor2D, first as Tf.Tensor2D));
    return tf.mean(tf.square(tf.matMul(hidden as Tf.Tensor2D, second as Tf.Tensor2D))) as Tf.Scalar;
  });
  const made = tf.tidy(() =>
    tf.maxPool(
      tf.relu(tf.conv2d(pixels as Tf.Tensor4D, filter as Tf.Tensor4D, 1, "same")) as Tf.Tensor4D,
      2,
      2,
      "valid",
    ),
  );
  const all = [value, ...Object.values(grads), made];
  const values = [];
  for (const tensor of all) values.push(...(await tensor.data()));
  tf.dispose([x, pixels, filter, first, second, ...all]);
  return values;
}

/** In what values differ from those of WebAssembly; "" where they do not. JSON made null of NaN and Infinity. */
export function differenceOf(values: number[], wanted: number[]): string {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = wanted.reduce(
    (most, value, k) => Math.max(most, Math.abs((values[k] ?? Number.NaN) - value)),
    0,
  );
  return off <= LARGEST_DIFFERENCE * largest
    ? ""
    : `its values are not those of WebAssembly (${off.toPrecision(2)} apart at most, the largest is ${largest.toPrecision(2)}); its driver computes wrong numbers`;
}

/** The files that the child loads; undefined for a package that is not installed. */
type Files = Record<"core" | "layers" | "wasm" | "gpu" | "dawn" | "webgpu", string | undefined>;

type Dawn = { requestAdapter(options: object): Promise<{ info: Record<string, string | boolean> } | null> };

interface Answer {
  device: string;
  software: boolean;
  values: number[];
  wanted: number[];
}

/** The program of the child process. Its source text runs there: it may use nothing but its arguments. */
async function work(
  backend: GpuBackend,
  files: Files,
  step: (tf: Tensorflow) => Promise<number[]>,
  load: NodeJS.Require,
  loadModule: (url: string) => Promise<{ create(options: string[]): Dawn; globals: object }>,
): Promise<Answer> {
  const tf = load(files.core!);
  load(files.layers!);
  const wasm = load(files.wasm!);
  wasm.setWasmPaths(files.wasm!.replace(/[^/\\]*$/, ""));
  await tf.setBackend("wasm");
  const wanted = await step(tf);
  if (backend === "gpu") {
    load(files.gpu!);
    await tf.setBackend("tensorflow");
    const { isUsingGpuDevice } = tf.backend();
    return { device: "CUDA", software: !isUsingGpuDevice, values: await step(tf), wanted };
  }
  const { create, globals } = await loadModule(files.dawn!);
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const scope = globalThis as { navigator?: object };
  if (!scope.navigator) Object.defineProperty(scope, "navigator", { value: {}, configurable: true });
  Object.defineProperty(scope.navigator, "gpu", { value: gpu, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("there is no GPU, or no driver for it");
  const { description, vendor, architecture, isFallbackAdapter } = adapter.info;
  // A GPU that is computed on the CPU shows that it works, and is not taken: its speed needs no look.
  const software =
    Boolean(isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe/i.test(`${description} ${architecture}`);
  load(files.webgpu!);
  await tf.setBackend("webgpu");
  return { device: String(description || vendor), software, values: await step(tf), wanted };
}

const SCRIPT = `
  const say = (answer) => process.stdout.write("\\n@" + JSON.stringify(answer), () => process.exit(0));
  Promise.resolve()
    .then(() => (${work})(process.argv[1], JSON.parse(process.argv[2]), ${smallStep}, require, (url) => import(url)))
    .then(say, (error) => say({ failure: error.message }));`;

/** Where a package's entry is; undefined where it is not installed. */
function fileOf(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    return undefined;
  }
}

/** Tries a GPU's backend in a child process: a driver may crash there, hang, or compute nothing. */
export async function tryInChild(backend: GpuBackend, signal?: AbortSignal): Promise<Tried> {
  const dawn = fileOf(PACKAGES.dawn);
  const files: Files = {
    core: fileOf("@tensorflow/tfjs-core"),
    layers: fileOf("@tensorflow/tfjs-layers"),
    wasm: fileOf("@tensorflow/tfjs-backend-wasm"),
    gpu: fileOf("@tensorflow/tfjs-node-gpu"),
    webgpu: fileOf(PACKAGES.backend),
    dawn: dawn && pathToFileURL(dawn).href,
  };
  if (backend === "gpu" && !files.gpu) return { missing: "tfjs-node-gpu is not installed" };
  if (backend === "webgpu" && !(files.dawn && files.webgpu))
    return { missing: `${files.webgpu ? PACKAGES.dawn : "tfjs-backend-webgpu"} is not installed` };
  return ask(backend, files, signal);
}

function ask(backend: GpuBackend, files: Files, signal?: AbortSignal): Promise<Tried> {
  const end = AbortSignal.any([AbortSignal.timeout(PATIENCE * 1000), ...(signal ? [signal] : [])]);
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["-e", SCRIPT, backend, JSON.stringify(files)],
      { signal: end, killSignal: "SIGKILL", maxBuffer: 1 << 26, cwd: dirname(files.core!) },
      (error, stdout) => {
        if (signal?.aborted) return reject(signal.reason);
        if (end.aborted) return resolve({ failure: `it did no small step within ${PATIENCE} s` });
        const said = stdout.split("\n@").at(-1);
        if (error || !said)
          return resolve({
            failure: error?.signal
              ? `its driver crashed (${error.signal})`
              : `its process ended (${error?.code})`,
          });
        const answer = JSON.parse(said) as Answer | { failure: string };
        if ("failure" in answer) return resolve({ failure: answer.failure.split("\n")[0] });
        const failure = differenceOf(answer.values, answer.wanted);
        resolve(failure ? { failure } : { device: answer.device, software: answer.software });
      },
    );
  });
}
