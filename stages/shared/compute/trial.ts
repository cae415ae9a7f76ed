/** Whether a backend computes a small training step as tfjs's plain backend on the CPU does; a GPU's in a process of its own. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Tf from "@tensorflow/tfjs-core";
import { runInChild } from "./child.ts";
import { PACKAGES } from "./webgpu.ts";

/** The backends of a GPU. */
export type GpuBackend = "gpu" | "webgpu";

/** The GPU by name, and whether it is one; or why the backend cannot be taken. */
export type Tried = { device: string; software: boolean } | { missing: string } | { failure: string };

/** tfjs with the gradients registered. */
type Tensorflow = typeof Tf;

/** The largest difference from the CPU's values, over the largest of these. */
const LARGEST_DIFFERENCE = 1e-3;
/** Seconds that a GPU has. */
const PATIENCE = 120;

/**
 * The values that a small step gives: two layers and two convolutions, with their gradients.
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
  const x = wave([40, 48], 0.3) as Tf.Tensor2D;
  const [pixels, filter, byChannel] = [
    [[2, 12, 12, 8], 0.9],
    [[3, 3, 8, 16], 1.1],
    [[3, 3, 8, 1], 0.5],
  ].map(([shape, rate]) => tf.variable(wave(shape as number[], rate as number))) as Tf.Variable<Tf.Rank.R4>[];
  const layers = tf.variableGrads(() => {
    const hidden = tf.relu(tf.matMul(x, first as Tf.Tensor2D));
    return tf.mean(tf.square(tf.matMul(hidden as Tf.Tensor2D, second as Tf.Tensor2D))) as Tf.Scalar;
  }, [first, second]);
  const convolutions = tf.variableGrads(() => {
    const hidden = tf.relu(tf.depthwiseConv2d(pixels, byChannel, 2, "same"));
    return tf.mean(tf.square(tf.relu(tf.conv2d(hidden, filter, 1, "same")))) as Tf.Scalar;
  }, [pixels, filter, byChannel]);
  const made = tf.tidy(() => tf.maxPool(tf.relu(tf.conv2d(pixels, filter, 1, "same")), 2, 2, "valid"));
  const all = [layers, convolutions].flatMap(({ value, grads }) => [
    value as Tf.Tensor,
    ...Object.values(grads),
  ]);
  all.push(made);
  const values = [];
  for (const tensor of all) values.push(...(await tensor.data()));
  tf.dispose([x, pixels, filter, byChannel, first, second, ...all]);
  return values;
}

/** In what values differ from those of the CPU; "" where they do not. JSON made null of NaN and Infinity. */
export function differenceOf(values: number[], wanted: number[]): string {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = wanted.reduce(
    (most, value, k) => Math.max(most, Math.abs((values[k] ?? Number.NaN) - value)),
    0,
  );
  return off <= LARGEST_DIFFERENCE * largest
    ? ""
    : `its values are not those of the CPU (${off.toPrecision(2)} apart at most, the largest is ${largest.toPrecision(2)}); its driver computes wrong numbers`;
}

/** The files that the child loads; undefined for a package that is not installed. */
type Files = Record<"core" | "layers" | "cpu" | "gpu" | "dawn" | "webgpu", string | undefined>;

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
  load(files.cpu!);
  await tf.setBackend("cpu");
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

const PROGRAM = `(${work})(args[0], JSON.parse(args[1]), ${smallStep}, require, (url) => import(url))`;

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
    cpu: fileOf("@tensorflow/tfjs-backend-cpu"),
    gpu: fileOf("@tensorflow/tfjs-node-gpu"),
    webgpu: fileOf(PACKAGES.backend),
    dawn: dawn && pathToFileURL(dawn).href,
  };
  if (backend === "gpu" && !files.gpu) return { missing: "tfjs-node-gpu is not installed" };
  if (backend === "webgpu" && !(files.dawn && files.webgpu))
    return { missing: `${files.webgpu ? PACKAGES.dawn : "tfjs-backend-webgpu"} is not installed` };
  const answer = await runInChild<Answer>(PROGRAM, {
    args: [backend, JSON.stringify(files)],
    patience: PATIENCE,
    late: "it did no small step",
    cwd: dirname(files.core!),
    signal,
  });
  if ("failure" in answer) return { failure: answer.failure.split("\n")[0] };
  const failure = differenceOf(answer.values, answer.wanted);
  return failure ? { failure } : { device: answer.device, software: answer.software };
}
