/**
 * The little of ONNX's protobuf that is needed: which tensor enters the last fully connected layer, and how to
 * make it an output. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { UserError } from "../../runner/stage.ts";

/** Field numbers of the messages that are read. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, op: 4 };
const TENSOR = { name: 8 };
const VALUE = { name: 1 };

/** One field: its number, and its bytes where it holds some (a message, a text). */
interface WireField {
  field: number;
  bytes?: Uint8Array;
}

/** The fields of a message, in order; nothing is copied. */
function* fieldsOf(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("a message ends too soon");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wire = tag & 7;
    if (wire === 0) {
      varint();
      yield { field };
    } else if (wire === 1 || wire === 5) {
      at += wire === 1 ? 8 : 4;
      yield { field };
    } else if (wire === 2) {
      const length = varint();
      if (at + length > message.length) throw new Error("a message ends too soon");
      yield { field, bytes: message.subarray(at, at + length) };
      at += length;
    } else throw new Error(`wire type ${wire} is unknown`);
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

const textsOf = (message: Uint8Array, wanted: number) =>
  [...fieldsOf(message)].flatMap(({ field, bytes }) => (field === wanted && bytes ? [text(bytes)] : []));

/** What is read of a graph. */
export interface Graph {
  inputs: string[];
  outputs: string[];
  /** In the order they run. */
  nodes: { op: string; inputs: string[]; outputs: string[] }[];
  /** Names of the tensors with fixed values. */
  weights: Set<string>;
}

/** Reads a model's graph. @throws UserError when the file is no ONNX model or broken off */
export function readGraph(model: Uint8Array, path: string): Graph {
  const graph: Graph = { inputs: [], outputs: [], nodes: [], weights: new Set() };
  try {
    for (const { field, bytes } of fieldsOf(model)) {
      if (field !== MODEL.graph || !bytes) continue;
      for (const { field: part, bytes: message } of fieldsOf(bytes)) {
        if (!message) continue;
        if (part === GRAPH.initializer)
          for (const name of textsOf(message, TENSOR.name)) graph.weights.add(name);
        if (part === GRAPH.input) graph.inputs.push(...textsOf(message, VALUE.name));
        if (part === GRAPH.output) graph.outputs.push(...textsOf(message, VALUE.name));
        if (part === GRAPH.node)
          graph.nodes.push({
            op: textsOf(message, NODE.op)[0],
            inputs: textsOf(message, NODE.input),
            outputs: textsOf(message, NODE.output),
          });
      }
    }
  } catch (error) {
    throw new UserError(`${path}: not a whole ONNX model (${(error as Error).message}). Fetch it again.`);
  }
  if (graph.nodes.length === 0) throw new UserError(`${path}: no ONNX model: it holds no graph.`);
  graph.inputs = graph.inputs.filter((name) => !graph.weights.has(name));
  return graph;
}

/** The tensor that enters the last fully connected layer. @throws UserError when there is no such layer */
export function featureTensor(graph: Graph, path: string): string {
  const dense = graph.nodes.findLast(
    ({ op, inputs }) => (op === "Gemm" || op === "MatMul") && graph.weights.has(inputs[1]),
  );
  if (!dense)
    throw new UserError(
      `${path}: no fully connected layer is in it. Name the feature tensor in the backbone's file ("features").`,
    );
  return dense.inputs[0];
}

/** A message field of `bytes`, as protobuf writes it. */
function messageField(field: number, bytes: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  for (let value of [field * 8 + 2, bytes.length]) {
    for (; value > 127; value = Math.floor(value / 128)) prefix.push((value & 127) | 128);
    prefix.push(value);
  }
  return Buffer.concat([Uint8Array.from(prefix), bytes]);
}

/**
 * The model with one more output. Protobuf merges a message appended to a file with the first, so a few bytes
 * at the end do it.
 */
export function withOutput(model: Uint8Array, tensor: string): Uint8Array {
  const name = messageField(VALUE.name, Buffer.from(tensor));
  return Buffer.concat([model, messageField(MODEL.graph, messageField(GRAPH.output, name))]);
}
