/**
 * The backend `native`: tfjs's WebAssembly backend whose large matrix products and column sums onnxruntime computes, in
 * the memory of WebAssembly itself: nothing is copied.
 */
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../../shared/compute/backend.ts";
import { RUNTIME, type SessionOptions, Tensor } from "../../shared/compute/onnxruntime.ts";
import { productModel } from "./graphs.ts";

/** A session of onnxruntime's binding: what the package's own `run` waits for is synchronous underneath. */
interface Session {
  loadModel(bytes: ArrayBufferLike, start: number, length: number, options: SessionOptions): void;
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor>, options: object): object;
}

interface Binding {
  initOrt(): void;
  binding: { InferenceSession: new () => Session };
}

/** The part of the WebAssembly backend that kernels use. Views of the heap are void after the next allocation. */
interface Heap {
  makeOutput(shape: number[], dtype: "float32"): tf.TensorInfo;
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array;
  incRef(dataId: object): void;
}

/** Multiplications below which a call of onnxruntime costs more than it saves, as measured. */
const LEAST = 64 ** 3;

/** One thread: several trainings share a machine, and the result does not depend on its cores. */
const OPTIONS: SessionOptions = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" };

/**
 * The package's native binding, a file that it does not promise to keep.
 * @throws Error when this version of the package has none of this form
 */
export function loadBinding(load: (file: string) => unknown = createRequire(RUNTIME)): Binding {
  let found: Partial<Binding> | undefined;
  let why = "it exports no initOrt() and binding.InferenceSession";
  try {
    found = load("./binding.js") as Partial<Binding>;
  } catch (error) {
    why = (error as Error).message.split("\n")[0];
  }
  const methods = found?.binding?.InferenceSession?.prototype as Partial<Session> | undefined;
  if (typeof found?.initOrt !== "function" || !methods?.loadModel || !methods.run)
    throw new Error(`the file dist/binding.js of onnxruntime-node is not as in version 1.30: ${why}`);
  return found as Binding;
}

/** What a kernel is called with. */
type Call = Parameters<tf.KernelFunc>[0];

const sessions = new Map<string, Session>();

/** The session that multiplies matrices that are stored so. */
export function sessionOf(
  { binding }: Binding,
  transposeA: boolean,
  transposeB: boolean,
  bias: boolean,
): Session {
  const name = `${transposeA} ${transposeB} ${bias}`;
  const known = sessions.get(name);
  if (known) return known;
  const made = new binding.InferenceSession();
  const { buffer, byteOffset, byteLength } = productModel(transposeA, transposeB, bias);
  made.loadModel(buffer, byteOffset, byteLength, OPTIONS);
  sessions.set(name, made);
  return made;
}

/** The product of two matrices (or of batches of one matrix each); undefined where the backend's own is to do it. */
function multiply(native: Binding, { inputs, backend, attrs }: Call, least: number) {
  const { a, b, bias, preluActivationWeights: slopes } = inputs as Record<string, tf.TensorInfo | undefined>;
  const {
    transposeA,
    transposeB,
    activation = "linear",
  } = attrs as unknown as {
    transposeA: boolean;
    transposeB: boolean;
    activation?: string;
  };
  if (!a || !b || slopes || activation !== "linear") return undefined;
  if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
  const [stored, weights] = [a.shape.slice(-2), b.shape.slice(-2)];
  const [rows, inner] = transposeA ? stored.toReversed() : stored;
  const [depth, columns] = transposeB ? weights.toReversed() : weights;
  const outer = a.shape.slice(0, -2);
  if (depth !== inner || rows * inner * columns < least) return undefined;
  if ([...outer, ...b.shape.slice(0, -2)].some((length) => length !== 1)) return undefined;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== columns)) return undefined;
  const heap = backend as unknown as Heap;
  const rank = Math.max(a.shape.length, b.shape.length);
  const result = heap.makeOutput([...new Array(rank - 2).fill(1), rows, columns], "float32");
  const view = (info: tf.TensorInfo, shape: number[]) =>
    new Tensor("float32", heap.typedArrayFromHeap(info), shape);
  const feeds: Record<string, Tensor> = { a: view(a, stored), b: view(b, weights) };
  if (bias) feeds.bias = view(bias, bias.shape);
  const fetches = { y: view(result, [rows, columns]) };
  sessionOf(native, transposeA, transposeB, bias !== undefined).run(feeds, fetches, {});
  return result;
}

/** Values of the smallest tensor whose column sums are a product, as measured. */
const LEAST_SUM = 4096;

/** The sums or means over the leading axes, as a product with a row of weights; undefined as in {@link multiply}. */
function reduce(native: Binding, { inputs, backend, attrs }: Call, name: "Sum" | "Mean", least: number) {
  const { x } = inputs as { x: tf.TensorInfo };
  const { axis, keepDims } = attrs as unknown as { axis: number | number[]; keepDims: boolean };
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const leading = axes.length < x.shape.length && axes.every((one) => one < axes.length);
  const rows = tf.util.sizeFromShape(x.shape.slice(0, axes.length));
  const columns = tf.util.sizeFromShape(x.shape.slice(axes.length));
  if (!leading || x.dtype !== "float32" || rows * columns < Math.max(least, 1)) return undefined;
  const heap = backend as unknown as Heap;
  const kept = keepDims ? axes.map(() => 1) : [];
  const result = heap.makeOutput([...kept, ...x.shape.slice(axes.length)], "float32");
  const weights = new Float32Array(rows).fill(name === "Sum" ? 1 : 1 / rows);
  sessionOf(native, false, false, false).run(
    {
      a: new Tensor("float32", weights, [1, rows]),
      b: new Tensor("float32", heap.typedArrayFromHeap(x), [rows, columns]),
    },
    { y: new Tensor("float32", heap.typedArrayFromHeap(result), [1, columns]) },
    {},
  );
  return result;
}

/** A clone that shares memory, as on tfjs's other backends: nothing here writes into a tensor that others may hold. */
function share({ inputs, backend }: Call): tf.TensorInfo {
  const { dataId, shape, dtype } = inputs.x as tf.TensorInfo;
  (backend as unknown as Heap).incRef(dataId);
  return { dataId, shape, dtype };
}

/**
 * Starts the WebAssembly backend with native products and sums.
 * @param least multiplications of the smallest product that onnxruntime computes
 * @returns what gives the backend its own kernels back
 * @throws Error when onnxruntime cannot be loaded
 */
export async function startNative(least = LEAST): Promise<() => void> {
  await startBackend("wasm");
  const native = loadBinding();
  native.initOrt();
  const product = (call: Call) => multiply(native, call, least);
  const smallest = Math.min(least, LEAST_SUM);
  const replacements: [string, (call: Call) => tf.TensorInfo | undefined][] = [
    ["BatchMatMul", product],
    ["_FusedMatMul", product],
    ["Sum", (call) => reduce(native, call, "Sum", smallest)],
    ["Mean", (call) => reduce(native, call, "Mean", smallest)],
    ["Identity", share],
  ];
  const kernels = replacements.map(([name]) => tf.getKernel(name, "wasm"));
  const own = kernels.map(({ kernelFunc }) => kernelFunc);
  for (const [index, kernel] of kernels.entries())
    kernel.kernelFunc = (call) => replacements[index][1](call) ?? own[index](call);
  return () => {
    for (const [index, kernel] of kernels.entries()) kernel.kernelFunc = own[index];
  };
}
