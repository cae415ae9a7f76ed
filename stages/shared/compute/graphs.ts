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

/**
 * A model of one Gemm, `y = a b` (+ `bias` of one row), of any lengths.
 * @param transposeA whether `a` is stored with its axes exchanged
 */
export function productModel(transposeA: boolean, transposeB: boolean, bias: boolean): Buffer {
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
    ...inputs.map((name) => message(11, value(name, name === "bias" ? 1 : 2))),
    message(12, value("y", 2)),
  ]);
  const [version, opset] = [8, 13];
  return Buffer.concat([int(1, version), message(8, message(1, ""), int(2, opset)), message(7, graph)]);
}
