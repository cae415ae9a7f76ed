/**
 * Sums over the leading axes on WebGPU. tfjs first moves every value of the tensor to another place, then adds a row in
 * one workgroup: of few channels and many pixels, most of a GPU is idle.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Call } from "./heap.ts";
import { gpu, runShader, type Shader } from "./shader.ts";

const THREADS = 256;
/** Columns of a workgroup, at most: neighbours in memory are read together. */
const WIDEST = 64;
/** Rows that one workgroup adds by itself. */
const ROWS = 256;
/** Workgroups that keep a large GPU at work. */
const ENOUGH = 1024;
/** Workgroups in one direction, by the limits of WebGPU. */
export const MOST_GROUPS = 65_535;

/** Threads that share a column, then the sum of theirs. @param width columns of a workgroup, a power of 2 */
const shaderOf = (width: number): Shader => ({
  key: `sums_${width}`,
  inputs: ["x"],
  ints: ["rows", "columns", "span"],
  threads: THREADS,
  code: `
    var<workgroup> part : array<f32, ${THREADS}>;
    fn main() {
      let column = i32(workgroupId.x) * ${width} + i32(localIndex) % ${width};
      let lane = i32(localIndex) / ${width};
      let begin = i32(workgroupId.y) * uniforms.span;
      let end = min(begin + uniforms.span, uniforms.rows);
      var sum = 0.0;
      if (column < uniforms.columns) {
        for (var row = begin + lane; row < end; row = row + ${THREADS / width}) {
          sum = sum + x[row * uniforms.columns + column];
        }
      }
      part[localIndex] = sum;
      workgroupBarrier();
      for (var step = ${THREADS / width / 2}; step > 0; step = step / 2) {
        if (lane < step) {
          part[localIndex] = part[localIndex] + part[localIndex + u32(step * ${width})];
        }
        workgroupBarrier();
      }
      if (lane == 0 && column < uniforms.columns) {
        result[i32(workgroupId.y) * uniforms.columns + column] = part[localIndex];
      }
    }`,
});

/** Whether {@link columnSums} can add so many columns. */
export const canSum = (columns: number): boolean => columns <= MOST_GROUPS * WIDEST;

/** The sums of the columns of a matrix, of as many as {@link canSum} allows. @param shape of the result */
export function columnSums(x: tf.TensorInfo, rows: number, columns: number, shape: number[]): tf.TensorInfo {
  const backend = gpu();
  if (rows === 1) {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape, dtype: "float32" };
  }
  const width = Math.min(WIDEST, 2 ** Math.ceil(Math.log2(columns)));
  const shader = shaderOf(width);
  const across = Math.ceil(columns / width);
  const add = (from: tf.TensorInfo, count: number, chunks: number, to: number[]) => {
    const ints = [count, columns, Math.ceil(count / chunks)];
    return runShader(shader, { inputs: [from], ints, groups: [across, chunks] }, to);
  };
  const chunks = Math.min(Math.ceil(ENOUGH / across), Math.ceil(rows / ROWS));
  if (chunks <= 1) return add(x, rows, 1, shape);
  const parts = add(x, rows, chunks, [chunks, columns]);
  const made = add(parts, chunks, 1, shape);
  backend.disposeData(parts.dataId);
  return made;
}

/** The kernel `Sum` over leading axes; other calls are left to the backend's own. */
export function sumKernel(own: tf.KernelFunc): (call: Call) => tf.TensorInfo {
  return (call) => {
    const { x } = call.inputs as { x: tf.TensorInfo };
    const { axis, keepDims } = call.attrs as unknown as { axis: number | number[]; keepDims: boolean };
    const axes = tf.util.parseAxisParam(axis, x.shape).toSorted((a, b) => a - b);
    const kept = x.shape.slice(axes.length);
    const columns = tf.util.sizeFromShape(kept);
    const leading = axes.every((one, at) => one === at) && kept.length > 0;
    if (!leading || x.dtype !== "float32" || tf.util.sizeFromShape(x.shape) === 0 || !canSum(columns))
      return own(call) as tf.TensorInfo;
    const rows = tf.util.sizeFromShape(x.shape) / columns;
    return columnSums(x, rows, columns, keepDims ? [...axes.map(() => 1), ...kept] : kept);
  };
}
