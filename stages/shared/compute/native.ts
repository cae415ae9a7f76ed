/**
 * The backend `native`: tfjs's WebAssembly backend whose large matrix products and convolutions onnxruntime computes, in the memory of
 * WebAssembly itself: nothing is copied.
 */
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "./backend.ts";
import { channelsIn } from "./channels.ts";
import { attempts, convolutions, type Engines } from "./convolution.ts";
import { type Bias, convolutionModel, productModel } from "./graphs.ts";
import { addressOf, type Call, heapOf, memoryHere, putBefore, putInPlace, shared } from "./heap.ts";
import { matricesOf } from "./kernels.ts";
import { RUNTIME, type SessionOptions, Tensor } from "./onnxruntime.ts";
import { copiesIn } from "./unfold.ts";

/** A session of onnxruntime's binding: what the package's own `run` waits for is synchronous underneath. */
interface Session {
  loadModel(bytes: ArrayBufferLike, start: number, length: number, options: SessionOptions): void;
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor>, options: object): object;
}

interface Binding {
  initOrt(): void;
  binding: { InferenceSession: new () => Session };
}

/** Multiplications below which a call of onnxruntime costs more than it saves, as measured. */
const LEAST = 64 ** 3;
/** Multiplications from which several threads are worth their start. */
const LARGE = 2 ** 22;

/** Threads sleep after their work: other trainings may share the machine. */
const optionsFor = (threads: number): SessionOptions => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: "sequential",
  extra: { session: { intra_op: { spin_duration_us: "50" } } },
});

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

const sessions = new Map<string, Session>();

/** The session of a graph, by a name for it. */
function sessionFor({ binding }: Binding, graph: string, model: () => Buffer, threads: number): Session {
  const name = `${graph}, ${threads} threads`;
  const known = sessions.get(name);
  if (known) return known;
  const made = new binding.InferenceSession();
  const { buffer, byteOffset, byteLength } = model();
  made.loadModel(buffer, byteOffset, byteLength, optionsFor(threads));
  sessions.set(name, made);
  return made;
}

/** The session that multiplies matrices that are stored so. */
export const sessionOf = (
  native: Binding,
  transposeA: boolean,
  transposeB: boolean,
  bias: Bias,
  threads = 1,
): Session =>
  sessionFor(
    native,
    `${transposeA} ${transposeB} ${bias}`,
    () => productModel(transposeA, transposeB, bias),
    threads,
  );

/** The product of two matrices (or of batches of one matrix each); undefined where the backend's own is to do it. */
function multiply(native: Binding, call: Call, least: number, threads: number): tf.TensorInfo | undefined {
  const found = matricesOf(call);
  if (!found) return undefined;
  const work = found.rows * found.inner * found.columns;
  if (work < least) return undefined;
  const { a, b, transposeA, transposeB, rows, columns, bias, shape } = found;
  const heap = heapOf(call);
  const result = heap.makeOutput(shape, "float32");
  const view = (info: tf.TensorInfo, lengths: number[]) =>
    new Tensor("float32", heap.typedArrayFromHeap(info), lengths);
  const feeds: Record<string, Tensor> = { a: view(a, a.shape.slice(-2)), b: view(b, b.shape.slice(-2)) };
  if (bias) feeds.bias = view(bias, bias.shape);
  const fetches = { y: view(result, [rows, columns]) };
  const several = work < LARGE ? 1 : threads;
  sessionOf(native, transposeA, transposeB, bias !== undefined, several).run(feeds, fetches, {});
  return result;
}

/**
 * Starts the WebAssembly backend with native products and convolutions.
 * @param least multiplications of the smallest product that onnxruntime computes
 * @param threads of large products and of convolutions; the results do not depend on it
 * @returns what gives the backend its own kernels back
 * @throws Error when onnxruntime cannot be loaded
 */
export async function startNative(least = LEAST, threads = 1): Promise<() => void> {
  await startBackend("wasm");
  const native = loadBinding();
  native.initOrt();
  const product = (call: Call) => multiply(native, call, least, threads);
  const channels = memoryHere() && channelsIn(memoryHere()!);
  const engines: Engines = {
    copies: memoryHere() && copiesIn(memoryHere()!),
    convolve(kind, attributes, feeds, fetches) {
      const name = `${kind} ${JSON.stringify(attributes)}`;
      sessionFor(native, name, () => convolutionModel(kind, attributes), threads).run(feeds, fetches, {});
    },
    multiply(transposeA, transposeB, feeds, fetches) {
      const bias = feeds.bias && (feeds.bias.dims.length > 1 ? "matrix" : true);
      sessionOf(native, transposeA, transposeB, bias ?? false, threads).run(feeds, fetches, {});
    },
    clip(heap, y, high) {
      channels!.clip(addressOf(heap, y), tf.util.sizeFromShape(y.shape), high);
    },
  };
  const undo = [
    ...["BatchMatMul", "_FusedMatMul"].map((name) => putBefore(name, product)),
    ...attempts(engines).map(([name, attempt]) => putBefore(name, attempt)),
    ...convolutions(engines).map(([name, kernel]) => putInPlace(name, kernel)),
  ];
  const stop = () => {
    if (shared.stopNative !== stop) return;
    for (const back of undo.reverse()) back();
    shared.stopNative = undefined;
  };
  shared.stopNative = stop;
  return stop;
}
