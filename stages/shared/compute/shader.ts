/** Shaders of this project on tfjs's WebGPU backend. */
import * as tf from "@tensorflow/tfjs-core";

/** A tensor in the backend. */
interface GpuData {
  /** Its buffer, once it is on the GPU. */
  resource: unknown;
  /** A copy on the CPU, if there is one. */
  values: unknown;
}

/** The part of the backend that is used. Commands are recorded, and submitted together. */
interface GpuBackend {
  device: { limits: { maxStorageBufferBindingSize: number; maxBufferSize: number } };
  tensorMap: { get(dataId: object): GpuData };
  commandQueueOwnedIds: WeakSet<object>;
  commandEncoder: {
    copyBufferToBuffer(from: unknown, start: number, to: unknown, at: number, bytes: number): void;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  uploadToGPU(dataId: object): void;
  incRef(dataId: object): void;
  disposeData(dataId: object): boolean;
  makeTensorInfo(shape: number[], dtype: "float32"): tf.TensorInfo;
  runWebGPUProgram(
    program: Program,
    inputs: tf.TensorInfo[],
    dtype: "float32",
    uniforms: { type: "float32" | "int32"; data: number[] }[],
    output?: tf.TensorInfo,
  ): tf.TensorInfo;
}

/** The backend at work, which is WebGPU's. */
export const gpu = (): GpuBackend => tf.backend() as unknown as GpuBackend;

/** A shader: its texts depend on its key alone, for the backend compiles each key once. */
export interface Shader {
  /** Of this project alone. */
  key: string;
  /** Names of the inputs, which are arrays of all their values. */
  inputs: string[];
  /** Names of the numbers, read as `uniforms.NAME`. */
  floats?: string[];
  ints?: string[];
  /** Threads of a workgroup. */
  threads: number;
  /** Values that an array's element has, 1 or 4. */
  width?: 1 | 4;
  /** In WGSL: declarations, and the function `main(index)`, or `main()` for a shader of two dimensions. */
  code: string;
}

/** The form that the backend takes. */
class Program {
  readonly variableNames: string[];
  readonly uniforms: string;
  readonly workgroupSize: [number, number, number];
  readonly dispatchLayout: { x: number[]; y?: number[] };
  readonly dispatch: [number, number, number];
  readonly outputShape: number[];
  readonly outputComponent: number;
  shaderKey: string;
  private readonly code: string;

  constructor(shader: Shader, groups: [number, number?], outputShape: number[]) {
    const { key, inputs, floats = [], ints = [], threads, width = 1, code } = shader;
    this.shaderKey = `deephash_${key}`;
    this.variableNames = inputs;
    this.uniforms = [
      ...floats.map((name) => `${name} : f32, `),
      ...ints.map((name) => `${name} : i32, `),
    ].join("");
    this.workgroupSize = [threads, 1, 1];
    const [columns, rows] = groups;
    this.dispatchLayout = rows === undefined ? { x: [0] } : { x: [0], y: [1] };
    this.dispatch = [columns, rows ?? 1, 1];
    this.outputShape = outputShape;
    this.outputComponent = width;
    this.code = code;
  }

  getUserCode(): string {
    return this.code;
  }
}

/** Of a run. */
interface Run {
  inputs: tf.TensorInfo[];
  /** Of the shader's `floats` and `ints`, in their order. */
  floats?: number[];
  ints?: number[];
  /** Workgroups; two numbers for a shader of two dimensions. */
  groups: [number, number?];
}

const flat = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => ({
  dataId,
  shape: [tf.util.sizeFromShape(shape)],
  dtype,
});

/**
 * Runs a shader.
 * @param output its shape; or a tensor that it changes in place, whose copies change with it
 */
export function runShader(
  shader: Shader,
  { inputs, floats = [], ints = [], groups }: Run,
  output: number[] | tf.TensorInfo,
): tf.TensorInfo {
  const backend = gpu();
  const shape = Array.isArray(output) ? output : output.shape;
  const size = tf.util.sizeFromShape(shape);
  const flatShape = groups[1] === undefined ? [size] : [1, size];
  const program = new Program(shader, groups, flatShape);
  const uniforms = [
    ...floats.map((value) => ({ type: "float32" as const, data: [value] })),
    ...ints.map((value) => ({ type: "int32" as const, data: [value] })),
  ];
  const changed = Array.isArray(output) ? undefined : { ...output, shape: flatShape };
  const made = backend.runWebGPUProgram(program, inputs.map(flat), "float32", uniforms, changed);
  if (changed) backend.tensorMap.get(changed.dataId).values = null; // values that were read before it changed
  return { dataId: made.dataId, shape, dtype: "float32" };
}

/** A part of a tensor: values from `at` on. */
export interface Part {
  tensor: tf.TensorInfo;
  at: number;
}

/** Copies values between tensors on the GPU, which costs no shader. */
export function copyValues(copies: { from: Part; to: Part; count: number }[]): void {
  const backend = gpu();
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  for (const { from, to, count } of copies) {
    for (const { dataId } of [from.tensor, to.tensor]) {
      backend.uploadToGPU(dataId);
      backend.commandQueueOwnedIds.add(dataId);
    }
    const [source, target] = [from, to].map(({ tensor }) => backend.tensorMap.get(tensor.dataId));
    backend.endComputePassEncoder();
    backend.commandEncoder.copyBufferToBuffer(
      source.resource,
      4 * from.at,
      target.resource,
      4 * to.at,
      4 * count,
    );
    target.values = null;
  }
}
