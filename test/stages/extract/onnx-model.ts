/**
 * ONNX models written by hand, as protobuf bytes.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { writeFileSync } from "node:fs";

type Bytes = Uint8Array;

function varint(value: number): Bytes {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  bytes.push(value);
  return Uint8Array.from(bytes);
}
/** A field that holds a whole number. */
const int = (field: number, value: number): Bytes => Buffer.concat([varint(field * 8), varint(value)]);
/** A field that holds bytes: a text or a message. */
export const field = (number: number, ...parts: (Bytes | string)[]): Bytes => {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};

const FLOAT = 1;
const FLOAT16 = 10;
const INTS = 7;

/** A tensor with fixed values. */
export function weight(name: string, dims: number[], values: Float32Array | Uint16Array): Bytes {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([
    ...dims.map((dim) => int(1, dim)),
    int(2, values instanceof Uint16Array ? FLOAT16 : FLOAT),
    field(8, name),
    field(9, raw),
  ]);
}

/** A node. Attributes are lists of whole numbers, or one. */
export function node(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, number | number[]> = {},
): Bytes {
  return Buffer.concat([
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      typeof value === "number"
        ? field(5, field(1, name), int(3, value), int(20, 2))
        : field(5, field(1, name), ...value.map((one) => int(8, one)), int(20, INTS)),
    ),
  ]);
}

/** The name and shape of an input or output; a text stands for a size that is left open. */
export function value(name: string, dims: (number | string)[], type = FLOAT): Bytes {
  const shape = dims.map((dim) => field(1, typeof dim === "number" ? int(1, dim) : field(2, dim)));
  return Buffer.concat([field(1, name), field(2, field(1, int(1, type), field(2, ...shape)))]);
}

export interface GraphParts {
  nodes: Bytes[];
  weights: Bytes[];
  inputs: Bytes[];
  outputs: Bytes[];
}

/** The graph's fields that a model begins with, before its weights. */
export const graphHead = ({ nodes, inputs, outputs }: Omit<GraphParts, "weights">): Bytes =>
  Buffer.concat([
    ...nodes.map((one) => field(1, one)),
    field(2, "test"),
    ...inputs.map((one) => field(11, one)),
    ...outputs.map((one) => field(12, one)),
  ]);

/** The model's fields beside its graph: version 8 of the format, opset 13. */
export const modelHead = (): Bytes => Buffer.concat([int(1, 8), field(8, field(1, ""), int(2, 13))]);

/** A whole model. */
export const model = (parts: GraphParts): Bytes =>
  Buffer.concat([modelHead(), field(7, graphHead(parts), ...parts.weights.map((one) => field(5, one)))]);

/** The weights of {@link tinyNetwork}. */
export interface Tiny {
  /** `[filters, 3, 3, 3]` */
  kernel: Float32Array;
  /** `[filters]` */
  bias: Float32Array;
  filters: number;
}

/**
 * Convolution 3 x 3 (padded by 1), relu, mean over the image, fully connected to two classes: as zoo models are
 * made, with the class scores as their only output.
 * @param dims of the input; by default any batch of any size
 */
export const tinyNetwork = (
  { kernel, bias, filters }: Tiny,
  dims: (number | string)[] = ["N", 3, "H", "W"],
  outputs: Bytes[] = [value("scores", ["N", 2])],
): Bytes =>
  model({
    nodes: [
      node("Conv", ["data", "kernel", "bias"], ["maps"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      node("Relu", ["maps"], ["active"]),
      node("GlobalAveragePool", ["active"], ["pooled"]),
      node("Flatten", ["pooled"], ["flat"]),
      node("Gemm", ["flat", "dense", "offset"], ["scores"]),
    ],
    weights: [
      weight("kernel", [filters, 3, 3, 3], kernel),
      weight("bias", [filters], bias),
      weight("dense", [filters, 2], new Float32Array(filters * 2).fill(1)),
      weight("offset", [2], new Float32Array(2)),
    ],
    inputs: [value("data", dims)],
    outputs,
  });

/** The features of {@link tinyNetwork}, by plain sums in float64. @param image `[3, size, size]` */
export function tinyFeatures({ kernel, bias, filters }: Tiny, image: Float32Array, size: number): number[] {
  return Array.from({ length: filters }, (_, filter) => {
    let total = 0;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        let sum = bias[filter];
        for (let channel = 0; channel < 3; channel++)
          for (let i = 0; i < 3; i++)
            for (let j = 0; j < 3; j++) {
              const [row, column] = [y + i - 1, x + j - 1];
              if (row < 0 || column < 0 || row >= size || column >= size) continue;
              sum +=
                kernel[((filter * 3 + channel) * 3 + i) * 3 + j] *
                image[(channel * size + row) * size + column];
            }
        total += Math.max(0, sum);
      }
    return total / (size * size);
  });
}

/** Writes a network whose three features are the means of the channels, less some. @returns its path */
export function colourNetwork(path: string): string {
  const filters = 6;
  const kernel = new Float32Array(filters * 27);
  for (let f = 0; f < filters; f++)
    for (let at = 0; at < 9; at++) kernel[f * 27 + (f % 3) * 9 + at] = f < 3 ? 0.1 : -0.1;
  writeFileSync(path, tinyNetwork({ kernel, bias: new Float32Array(filters).fill(0.2), filters }));
  return path;
}
