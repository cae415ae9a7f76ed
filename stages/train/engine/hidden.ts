/**
 * A hidden layer behind its product: batch norm, ReLU and dropout. On WebAssembly it is one operation of a few passes,
 * with the bytes of the three that tfjs does by thirty, gradients included.
 */
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import { addressOf, type Heap, memoryHere } from "../../shared/compute/heap.ts";
import type { Random } from "../../shared/compute/random.ts";
import { dropout } from "../network.ts";
import { type Masks, masksIn } from "./mask.ts";
import { cellOf, type Passes, type PassName, passesIn, TABLES, tableSize } from "./passes.ts";

/** The part of a layer of batch norm that is used. */
interface Norm {
  gamma: layers.LayerVariable;
  beta: layers.LayerVariable;
  movingMean: layers.LayerVariable;
  movingVariance: layers.LayerVariable;
  momentum: number;
  epsilon: number;
}

interface Engine {
  passes: Passes;
  masks: Masks;
}

const { fround } = Math;
const engines = new WeakMap<WebAssembly.Memory, Engine | undefined>();

/** The implementation in the memory of the current backend; undefined where tfjs does it. */
function engineHere(): Engine | undefined {
  const memory = memoryHere();
  if (!memory) return undefined;
  if (!engines.has(memory)) {
    const passes = passesIn(memory);
    engines.set(memory, passes && { passes, masks: masksIn(memory) });
  }
  return engines.get(memory);
}

/**
 * Batch norm by the batch's own means, ReLU, inverted dropout; the layer's moving means follow.
 * @param y `[batch, units]`
 * @param rate share of the values that become 0, in [0, 1)
 */
export function hiddenLayer(
  y: tf.Tensor2D,
  norm: layers.layers.Layer,
  rate: number,
  random: Random,
): tf.Tensor2D {
  const engine = engineHere();
  if (!engine || y.shape[1] % 4 !== 0 || y.size === 0) {
    const normed = norm.apply(y, { training: true }) as tf.Tensor2D;
    return dropout(tf.relu(normed), rate, random);
  }
  return fused(engine, y, norm as unknown as Norm, rate, random);
}

/** Where the columns' numbers of one vector are in a table: four together, `apart` from four to the next. */
interface Cells {
  first: number;
  apart: number;
}

function put(numbers: Float32Array, to: Float32Array | Float64Array, { first, apart }: Cells): void {
  for (let k = 0, at = first; k < numbers.length; k += 4, at += apart)
    for (let lane = 0; lane < 4; lane++) to[at + lane] = numbers[k + lane];
}

function take(from: Float32Array, columns: number, { first, apart }: Cells): Float32Array {
  const numbers = new Float32Array(columns);
  for (let k = 0, at = first; k < columns; k += 4, at += apart)
    for (let lane = 0; lane < 4; lane++) numbers[k + lane] = from[at + lane];
  return numbers;
}

/**
 * A pass over x.
 * @param fill the numbers of its table, `[columns]`; the others begin at 0
 * @returns the table's numbers after it
 */
function walk<P extends PassName>(
  { passes }: Engine,
  pass: P,
  tensors: Partial<Record<"x" | "out" | "kept" | "slopes" | "to", tf.TensorInfo>> & { x: tf.TensorInfo },
  fill: Partial<Record<keyof (typeof TABLES)[P], Float32Array>>,
): (vector: keyof (typeof TABLES)[P]) => Float32Array {
  const heap = tf.backend() as unknown as Heap;
  const [rows, columns] = tensors.x.shape;
  const table = heap.makeOutput([tableSize(pass, columns)], "float32");
  const values = heap.typedArrayFromHeap(table).fill(0);
  const wide = new Float64Array(values.buffer, values.byteOffset, values.length / 2);
  const cells = (vector: string): Cells => {
    const [first, next] = [0, 4].map((column) => cellOf(pass, (TABLES[pass] as never)[vector], column));
    return { first, apart: next - first };
  };
  for (const [name, numbers] of Object.entries(fill) as [string, Float32Array][]) {
    const { first, apart } = cells(name);
    // Two vectors of two float64 each.
    if (name === "lengths" || name === "offsets") put(numbers, wide, { first: first / 2, apart: apart / 2 });
    else put(numbers, values, { first, apart });
  }
  const at = Object.fromEntries(Object.entries(tensors).map(([name, info]) => [name, addressOf(heap, info)]));
  passes(pass, { x: at.x, table: addressOf(heap, table), ...at }, rows, columns);
  const found = heap.typedArrayFromHeap(table).slice();
  heap.disposeData(table.dataId);
  return (name) => take(found, columns, cells(name as string));
}

/** The mask of dropout, drawn where the backend is. */
function maskFor({ masks }: Engine, shape: number[], rate: number, random: Random): tf.Tensor {
  if (rate === 0) return tf.ones(shape);
  const heap = tf.backend() as unknown as Heap;
  const mask = heap.makeOutput(shape, "float32");
  const state = heap.makeOutput([4], "float32");
  masks(addressOf(heap, mask), tf.util.sizeFromShape(shape), addressOf(heap, state), rate, random);
  heap.disposeData(state.dataId);
  return tf.engine().makeTensorFromTensorInfo(mask);
}

/** The layer's mean moves towards the batch's. */
function move(variable: layers.LayerVariable, value: tf.Tensor, momentum: number): void {
  tf.tidy(() => {
    const before = variable.read();
    variable.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)));
  });
}

function fused(engine: Engine, input: tf.Tensor2D, norm: Norm, rate: number, random: Random): tf.Tensor2D {
  const heap = tf.backend() as unknown as Heap;
  const values = (tensor: tf.Tensor) => heap.typedArrayFromHeap(tensor).slice();
  const { momentum, epsilon } = norm;
  const layer = tf.customGrad((...given) => {
    const [x, gamma, beta, save] = given as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    const [rows] = x.shape;
    const mean = tf.mean(x, 0);
    const means = values(mean);
    const squares = walk(engine, "variance", { x }, { mean: means })("sum");
    const variances = squares.map((sum) => sum / rows);
    move(norm.movingMean, mean, momentum);
    move(norm.movingVariance, tf.tensor1d(variances), momentum);
    const lengths = variances.map((value) => Math.sqrt(fround(value + fround(epsilon))));
    const [scales, offsets] = [values(gamma), values(beta)];
    const kept = maskFor(engine, x.shape, rate, random);
    const to = heap.makeOutput(x.shape, "float32");
    walk(engine, "forward", { x, kept, to }, { mean: means, scale: scales, lengths, offsets });
    const out = tf.engine().makeTensorFromTensorInfo(to) as tf.Tensor2D;
    save([x, out, kept]);
    const gradFunc = (slopes: tf.Tensor2D, saved: tf.Tensor[]) =>
      gradients(engine, slopes, saved, means, scales, lengths);
    return { value: out, gradFunc };
  });
  return layer(input, norm.gamma.read(), norm.beta.read()) as tf.Tensor2D;
}

/** The gradients of x, scale and offset; in the order of tfjs's sums. */
function gradients(
  engine: Engine,
  slopes: tf.Tensor,
  [x, out, kept]: tf.Tensor[],
  means: Float32Array,
  scales: Float32Array,
  lengths: Float32Array,
): tf.Tensor[] {
  const heap = tf.backend() as unknown as Heap;
  const [rows] = x.shape;
  const inverses = lengths.map((length) => 1 / length);
  const scaled = { mean: means, scale: scales, inverse: inverses };
  const tensors = { x, out, kept, slopes };
  const sums = walk(engine, "sums", tensors, {
    ...scaled,
    minus: inverses.map((inverse) => -inverse),
    cube: inverses.map((inverse) => fround(fround(inverse * inverse) * inverse) * -0.5),
  });
  const spreads = sums("varianceSum").map((sum) => sum / rows);
  const spread = walk(engine, "spread", { x }, { mean: means, slope: spreads })("sum");
  const rests = sums("meanSum").map((sum, k) => fround(sum - spread[k]) / rows);
  const to = heap.makeOutput(x.shape, "float32");
  walk(engine, "backward", { ...tensors, to }, { ...scaled, slope: spreads, rest: rests });
  return [
    tf.engine().makeTensorFromTensorInfo(to),
    tf.tensor1d(sums("scaleSum")),
    tf.tensor1d(sums("offsetSum")),
  ];
}
