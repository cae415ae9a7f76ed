/**
 * ONNX graphs of one node, as protobuf bytes: what a kernel asks of onnxruntime.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A field that holds a whole number. */
const int = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);

/** A field that holds a text or a message. */
function message(field: number, ...parts: (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

const FLOAT = 1;
const INT = 2; // the type of an attribute

/** A float tensor by name; each length is left open. */
function value(name: string, rank: number): Buffer {
  const lengths = Array.from({ length: rank }, (_, axis) => message(1, message(2, `${name}_${axis}`)));
  return Buffer.concat([message(1, name), message(2, message(1, int(1, FLOAT), message(2, ...lengths)))]);
}

/** Whether a product has a bias, and whether that is a matrix. */
export type Bias = boolean | "matrix";

/**
 * A model of one Gemm, `y = a b` (+ `bias`), of any lengths.
 * @param transposeA whether `a` is stored with its axes exchanged
 * @param bias of one row, or a matrix as y is
 */
export function productModel(transposeA: boolean, transposeB: boolean, bias: Bias): Buffer {
  const flag = (name: string, on: boolean) => message(5, message(1, name), int(3, Number(on)), int(20, INT));
  const inputs = ["a", "b", ...(bias ? ["bias"] : [])];
  const node = Buffer.concat([
    ...inputs.map((name) => message(1, name)),
    message(2, "y"),
    message(4, "Gemm"),
    flag("transA", transposeA),
    flag("transB", transposeB),
  ]);
  const graph = Buffer.concat([
    message(1, node),
    message(2, "product"),
    ...inputs.map((name) => message(11, value(name, name === "bias" && bias !== "matrix" ? 1 : 2))),
    message(12, value("y", 2)),
  ]);
  const [version, opset] = [8, 13];
  return Buffer.concat([int(1, version), message(8, message(1, ""), int(2, opset)), message(7, graph)]);
}

/** Attributes of the node, [height, width] each; pads: top, left, bottom, right. */
export interface ConvolutionAttributes {
  strides: number[];
  pads: number[];
  dilations: number[];
  group: number;
  /** Rows and columns that the strides do not reach. */
  rest: number[];
  /** Of the filter. */
  kernel: number[];
}

/** The operation of a graph: a convolution, without or with a bias, or the gradient of its input or of its filter. */
export type ConvolutionKind = "forward" | "biased" | "input" | "filter";

const [INTS, WHOLE] = [7, 7]; // the type of an attribute, and of a tensor of int64

const ints = (name: string, values: number[]) =>
  message(5, message(1, name), ...values.map((one) => int(8, one)), int(20, INTS));

const node = (kind: string, inputs: string[], output: string, ...attributes: Buffer[]) =>
  message(1, ...inputs.map((name) => message(1, name)), message(2, output), message(4, kind), ...attributes);

/** A constant of whole numbers. */
const constant = (name: string, values: number[]) =>
  message(
    5,
    ...[int(1, values.length), int(2, WHOLE), message(8, name)],
    message(9, Buffer.from(BigInt64Array.from(values, BigInt).buffer)),
  );

/**
 * A model of one convolution or gradient, of tensors as tfjs stores them: images `[n, height, width, channels]`, filters
 * `[height, width, in, out]`. `a` is x, or the slopes of y for `input`; `b` is the filter, or the slopes for `filter`.
 */
export function convolutionModel(
  kind: ConvolutionKind,
  { strides, pads, dilations, group, rest, kernel }: ConvolutionAttributes,
): Buffer {
  const attributes = (steps: number[], apart: number[]) => [
    ...[ints("strides", steps), ints("pads", pads), ints("dilations", apart)],
    message(5, message(1, "group"), int(3, group), int(20, INT)),
  ];
  const turn = (from: string, to: string, perm: number[]) =>
    node("Transpose", [from], to, ints("perm", perm));
  const [first, last] = [
    [0, 3, 1, 2],
    [0, 2, 3, 1],
  ]; // the channels
  const convolve = (...more: string[]) => [
    ...[turn("a", "x", first), turn("b", "w", [3, 2, 0, 1])],
    ...[node("Conv", ["x", "w", ...more], "z", ...attributes(strides, dilations)), turn("z", "y", last)],
  ];
  const nodes = {
    forward: () => convolve(),
    biased: () => convolve("bias"),
    input: () => [
      ...[turn("a", "x", first), turn("b", "w", [3, 2, 0, 1])],
      node("ConvTranspose", ["x", "w"], "z", ...attributes(strides, dilations), ints("output_padding", rest)),
      turn("z", "y", last),
    ],
    // The images of the batch are its channels, by channel or all together, and the slopes its filter.
    filter: () => [
      ...[turn("a", "t", [3, 0, 1, 2]), turn("b", "w", [3, 0, 1, 2])],
      ...(group > 1 ? [node("Reshape", ["t", "merged"], "x")] : [node("Identity", ["t"], "x")]),
      node("Conv", ["x", "w"], "c", ...attributes(dilations, strides)),
      // Where strides leave a rest, there are places too many.
      node("Slice", ["c"], "z", ints("starts", [0, 0]), ints("ends", kernel), ints("axes", [2, 3])),
      turn("z", "y", [2, 3, 0, 1]),
    ],
  }[kind]();
  const graph = Buffer.concat([
    ...nodes,
    message(2, "convolution"),
    // 0: as it is; the channels and the images of each become one axis
    ...(group > 1 && kind === "filter" ? [constant("merged", [1, -1, 0, 0])] : []),
    ...["a", "b"].map((name) => message(11, value(name, 4))),
    ...(kind === "biased" ? [message(11, value("bias", 1))] : []),
    message(12, value("y", 4)),
  ]);
  const [version, opset] = [8, 9]; // the last of Slice with attributes
  return Buffer.concat([int(1, version), message(8, message(1, ""), int(2, opset)), message(7, graph)]);
}
