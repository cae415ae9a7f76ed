/** Kernels before those of tfjs's WebGPU backend: fewer shaders a step, and more of a GPU at work in each. */
import * as tf from "@tensorflow/tfjs-core";
import { SLOPES } from "./depthwise.ts";
import { putFilterGradients } from "./filter-gradients.ts";
import type { Call } from "./heap.ts";
import { runShader, type Shader } from "./shader.ts";
import { filterGradient } from "./webgpu-filters.ts";
import { sumKernel } from "./webgpu-sums.ts";

const BACKEND = "webgpu";
const THREADS = 64;
/** A limit that no value reaches: shaders need not know infinity. */
const NO_LIMIT = 3e38;

const slopesShader = (width: 1 | 4): Shader => ({
  key: `slopes_${width}`,
  inputs: ["dy", "y"],
  floats: ["high"],
  ints: ["size"],
  threads: THREADS,
  width,
  code: `
    fn main(index : i32) {
      if (index < uniforms.size) {
        let value = y[index];
        result[index] = select(${width === 4 ? "vec4<f32>(0.0)" : "0.0"}, dy[index], ${
          width === 4
            ? "(value > vec4<f32>(0.0)) & (value < vec4<f32>(uniforms.high))"
            : "value > 0.0 && value < uniforms.high"
        });
      }
    }`,
});

/** Slopes where an activation lets them through: 0 < y < high. */
function throughClip({ inputs, attrs }: Call): tf.TensorInfo {
  const { dy, y } = inputs as { dy: tf.TensorInfo; y: tf.TensorInfo };
  const { high } = attrs as unknown as { high: number };
  const size = tf.util.sizeFromShape(y.shape);
  const width = size % 4 === 0 ? 4 : 1;
  const run = {
    inputs: [dy, y],
    floats: [Math.min(high, NO_LIMIT)],
    ints: [size / width],
    groups: [Math.ceil(size / width / THREADS)] as [number],
  };
  return runShader(slopesShader(width), run, y.shape);
}

/** Registers them, once in a process. */
export function putWebgpuKernels(): void {
  const { kernelFunc } = tf.getKernel("Sum", BACKEND);
  tf.unregisterKernel("Sum", BACKEND);
  tf.registerKernel({ kernelName: "Sum", backendName: BACKEND, kernelFunc: sumKernel(kernelFunc) });
  tf.registerKernel({ kernelName: SLOPES, backendName: BACKEND, kernelFunc: throughClip });
  putFilterGradients(BACKEND, filterGradient);
}
