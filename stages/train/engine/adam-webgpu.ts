/**
 * Adam (Kingma and Ba 2015) on WebGPU: three kernels for each weight. By operations of tfjs it takes twelve, and each
 * number of the formula would be a buffer of its own.
 */
import * as tf from "@tensorflow/tfjs-core";
import { fillSlots, type OptimizerState } from "./optimizer.ts";

/** The part of tfjs's WebGPU backend that runs a shader. */
interface Gpu {
  runWebGPUProgram(
    program: Program,
    inputs: tf.TensorInfo[],
    dtype: "float32",
    uniforms: { type: "float32"; data: number[] }[],
  ): tf.TensorInfo;
}

/** A shader of one value for each of some tensors of one length, as tfjs's backend takes it. */
class Program {
  readonly workgroupSize: [number, number, number] = [64, 1, 1];
  readonly size = true;
  readonly dispatchLayout = { x: [0] };
  readonly dispatch: [number, number, number];
  readonly outputShape: number[];
  readonly variableNames: string[];
  readonly uniforms: string;
  shaderKey: string;
  private readonly value: string;

  /** @param value in WGSL, of the inputs A, B, … and the numbers */
  constructor(name: string, inputs: number, numbers: string[], value: string, length: number) {
    this.shaderKey = `deephash_${name}`;
    this.variableNames = ["A", "B", "C"].slice(0, inputs);
    this.uniforms = numbers.map((number) => `${number} : f32,`).join(" ");
    this.value = value;
    this.outputShape = [length];
    this.dispatch = [Math.ceil(length / 64), 1, 1];
  }

  getUserCode(): string {
    const read = this.variableNames.map((name) => `let ${name} = get${name}ByOutputIndex(index);`);
    return `
      fn main(index : i32) {
        if (index < uniforms.size) {
          ${read.join("\n          ")}
          setOutputAtIndex(index, ${this.value});
        }
      }`;
  }
}

/** Runs a shader. @returns a tensor in the shape of the first input */
function run(name: string, tensors: tf.Tensor[], numbers: Record<string, number>, value: string): tf.Tensor {
  const [{ size, shape }] = tensors;
  const flat = tensors.map(({ dataId }) => ({ dataId, shape: [size], dtype: "float32" as const }));
  const program = new Program(name, tensors.length, Object.keys(numbers), value, size);
  const uniforms = Object.values(numbers).map((number) => ({ type: "float32" as const, data: [number] }));
  const made = (tf.backend() as unknown as Gpu).runWebGPUProgram(program, flat, "float32", uniforms);
  return tf.engine().makeTensorFromTensorInfo({ ...made, shape });
}

/** Moves one variable; the moments are those in its slots. */
export const gpuStep =
  (state: OptimizerState) =>
  (variable: tf.Variable, slope: tf.Tensor, numbers: number[]): void => {
    const [keep1, take1, keep2, take2, least, rest1, rest2, rate] = numbers;
    const [first, second] = state.slots.get(variable.name)!;
    const m = run(
      "first",
      [first, slope],
      { keep: keep1, take: take1 },
      "A * uniforms.keep + B * uniforms.take",
    );
    const v = run(
      "second",
      [second, slope],
      { keep: keep2, take: take2 },
      "A * uniforms.keep + B * B * uniforms.take",
    );
    const moved = run(
      "adam",
      [variable, m, v],
      { least, rest1, rest2, rate },
      "A + B / uniforms.rest1 / (sqrt(C / uniforms.rest2) + uniforms.least) * uniforms.rate",
    );
    variable.assign(moved);
    fillSlots(state, variable.name, [m, v]);
  };
