/** Kernels before those of tfjs's WebAssembly backend, for speed: every one gives the same bytes. */
import * as tf from "@tensorflow/tfjs-core";
import { channelsIn } from "./channels.ts";
import { depthwiseKernels } from "./depthwise.ts";
import {
  type Attempt,
  addressOf,
  type Call,
  heapOf,
  memoryHere,
  putBefore,
  putInPlace,
  shared,
} from "./heap.ts";
import { type Place, type Product, productIn, scratchOf } from "./product.ts";
import { type Sums, sumsIn } from "./sums.ts";

/** A product of two matrices, or of batches of one matrix each. */
export interface Matrices {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  transposeA: boolean;
  transposeB: boolean;
  rows: number;
  inner: number;
  columns: number;
  /** `[columns]`, added to each row. */
  bias?: tf.TensorInfo;
  /** Of the output. */
  shape: number[];
}

/** Reads the call of a matrix product; undefined where it is none of two float32 matrices, perhaps with a bias. */
export function matricesOf({ inputs, attrs }: Call): Matrices | undefined {
  const {
    a,
    b,
    bias,
    preluActivationWeights: slopes,
  } = inputs as Record<"a" | "b", tf.TensorInfo> &
    Record<"bias" | "preluActivationWeights", tf.TensorInfo | undefined>;
  const { transposeA, transposeB, activation } = attrs as unknown as {
    transposeA: boolean;
    transposeB: boolean;
    activation?: string;
  };
  if (slopes || (activation ?? "linear") !== "linear") return undefined;
  if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
  const outer = [...a.shape.slice(0, -2), ...b.shape.slice(0, -2)];
  const [left, right] = [a.shape.slice(-2), b.shape.slice(-2)];
  const [rows, inner] = transposeA ? left.toReversed() : left;
  const [depth, columns] = transposeB ? right.toReversed() : right;
  if (depth !== inner || rows * inner * columns === 0 || outer.some((length) => length !== 1))
    return undefined;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== columns)) return undefined;
  const shape = [...Array(Math.max(a.shape.length, b.shape.length) - 2).fill(1), rows, columns];
  return { a, b, transposeA, transposeB, rows, inner, columns, bias, shape };
}

/** The matrix product, whose operands are read as they are stored. As in tfjs, its sums begin with the bias. */
const multiply =
  (product: Product): Attempt =>
  (call) => {
    const found = matricesOf(call);
    if (!found) return undefined;
    const heap = heapOf(call);
    const result = heap.makeOutput(found.shape, "float32");
    const scratch = heap.makeOutput([scratchOf(found)], "float32");
    const place = (x: tf.TensorInfo, transposed: boolean): Place => {
      const row = 4 * x.shape.at(-1)!;
      return { at: addressOf(heap, x), ...(transposed ? { row: 4, column: row } : { row, column: 4 }) };
    };
    product(
      place(found.a, found.transposeA),
      place(found.b, found.transposeB),
      addressOf(heap, result),
      addressOf(heap, scratch),
      found,
      found.bias && addressOf(heap, found.bias),
    );
    heap.disposeData(scratch.dataId);
    return result;
  };

/** Sums or means over the leading axes. */
const reduce =
  (sums: Sums, name: "Sum" | "Mean"): Attempt =>
  (call) => {
    const { x } = call.inputs as { x: tf.TensorInfo };
    const { axis, keepDims } = call.attrs as unknown as { axis: number | number[]; keepDims: boolean };
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const leading = axes.length < x.shape.length && axes.every((one, k) => one === k);
    const rows = tf.util.sizeFromShape(x.shape.slice(0, axes.length));
    const columns = tf.util.sizeFromShape(x.shape.slice(axes.length));
    if (!leading || x.dtype !== "float32" || rows * columns === 0) return undefined;
    const heap = heapOf(call);
    const kept = keepDims ? axes.map(() => 1) : [];
    const result = heap.makeOutput([...kept, ...x.shape.slice(axes.length)], "float32");
    sums(addressOf(heap, x), addressOf(heap, result), rows, columns);
    if (name === "Sum") return result;
    const values = heap.typedArrayFromHeap(result);
    for (let k = 0; k < columns; k++) values[k] /= rows;
    return result;
  };

/** A clone that shares memory, as on tfjs's other backends: nothing here writes into a tensor that others may hold. */
const share: Attempt = (call) => {
  const { dataId, shape, dtype } = call.inputs.x as tf.TensorInfo;
  if (dtype === "string") return undefined;
  heapOf(call).incRef(dataId);
  return { dataId, shape, dtype };
};

/** A cast to the same type is a clone. */
const cast: Attempt = (call) =>
  (call.inputs.x as tf.TensorInfo).dtype === (call.attrs as unknown as { dtype: string }).dtype
    ? share(call)
    : undefined;

/** Puts the kernels before those of the backend at work. Needs vectors; without them nothing changes. */
export function putFastKernels(): void {
  const memory = memoryHere();
  if (!memory || shared.fast.has(memory)) return;
  shared.fast.add(memory);
  const [product, sums] = [productIn(memory), sumsIn(memory)];
  putBefore("Identity", share);
  putBefore("Cast", cast);
  if (product) for (const name of ["BatchMatMul", "_FusedMatMul"]) putBefore(name, multiply(product));
  const channels = channelsIn(memory);
  if (channels) for (const [name, kernel] of depthwiseKernels(channels)) putInPlace(name, kernel);
  if (!sums) return;
  putBefore("Sum", reduce(sums, "Sum"));
  putBefore("Mean", reduce(sums, "Mean"));
}
