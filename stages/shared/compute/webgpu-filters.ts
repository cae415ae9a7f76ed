/** Gradients of small filters on WebGPU: a thread for each of their values, of a part of the pixels; then their sums. */
import * as tf from "@tensorflow/tfjs-core";
import { gpu, runShader, type Shader } from "./shader.ts";
import { canSum, columnSums, MOST_GROUPS } from "./webgpu-sums.ts";

const THREADS = 64;
/** Workgroups that keep a large GPU at work. */
const ENOUGH = 4096;
/** Multiplications from which on products of matrices, which share what they read, are faster. */
const MOST_MULTIPLICATIONS = 4e9;

const shaderOf = (depthwise: boolean): Shader => ({
  key: `filters_${depthwise}`,
  inputs: ["x", "dy"],
  ints: [
    ...["count", "inHeight", "inWidth", "inChannels", "outHeight", "outWidth", "outChannels"],
    ...["filterWidth", "strideHeight", "strideWidth", "top", "left", "lines", "span"],
  ],
  threads: THREADS,
  code: `
    fn main() {
      let at = i32(workgroupId.x) * ${THREADS} + i32(localIndex);
      if (at >= uniforms.count) { return; }
      let toChannel = at % uniforms.outChannels;
      let rest = at / uniforms.outChannels;
      let fromChannel = ${depthwise ? "toChannel" : "rest % uniforms.inChannels"};
      let tap = ${depthwise ? "rest" : "rest / uniforms.inChannels"};
      let down = tap / uniforms.filterWidth - uniforms.top;
      let right = tap % uniforms.filterWidth - uniforms.left;
      let begin = i32(workgroupId.y) * uniforms.span;
      let end = min(begin + uniforms.span, uniforms.lines);
      var sum = 0.0;
      for (var line = begin; line < end; line = line + 1) {
        let row = line % uniforms.outHeight * uniforms.strideHeight + down;
        if (row < 0 || row >= uniforms.inHeight) { continue; }
        let image = line / uniforms.outHeight;
        var slope = line * uniforms.outWidth * uniforms.outChannels + toChannel;
        let pixel = (image * uniforms.inHeight + row) * uniforms.inWidth * uniforms.inChannels + fromChannel;
        var column = right;
        for (var k = 0; k < uniforms.outWidth; k = k + 1) {
          if (column >= 0 && column < uniforms.inWidth) {
            sum = sum + x[pixel + column * uniforms.inChannels] * dy[slope];
          }
          column = column + uniforms.strideWidth;
          slope = slope + uniforms.outChannels;
        }
      }
      result[i32(workgroupId.y) * uniforms.count + at] = sum;
    }`,
});

/** The gradient of a filter; undefined where it is faster, or only done, in another way. */
export function filterGradient(
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
  depthwise: boolean,
): tf.TensorInfo | undefined {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, filterShape } = info;
  const count = tf.util.sizeFromShape(filterShape);
  const lines = batchSize * outHeight;
  if (filterHeight * filterWidth === 1 && !depthwise) return undefined;
  if (count * lines * outWidth > MOST_MULTIPLICATIONS) return undefined;
  const across = Math.ceil(count / THREADS);
  if (across > MOST_GROUPS || !canSum(count)) return undefined;
  const span = Math.ceil(lines / Math.min(lines, Math.ceil(ENOUGH / across)));
  const chunks = Math.ceil(lines / span);
  const ints = [
    ...[count, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels],
    ...[filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left, lines, span],
  ];
  const run = { inputs: [x, dy], ints, groups: [across, chunks] as [number, number] };
  const parts = runShader(shaderOf(depthwise), run, [chunks, count]);
  const made = columnSums(parts, chunks, count, filterShape);
  gpu().disposeData(parts.dataId);
  return made;
}
