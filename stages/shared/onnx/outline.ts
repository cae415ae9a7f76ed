/**
 * The outline of an ONNX file, read without its weights, which may fill half a gigabyte: which tensor enters the last
 * fully connected layer, and how to make it an output. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { UserError } from "../../../runner/stage.ts";

/** Field numbers of the messages that are read. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, op: 4 };
const TENSOR = { name: 8 };
const VALUE = { name: 1 };

/** A file's bytes, read where they are asked for: a network's weights may fill half a gigabyte. */
class FileBytes {
  readonly size: number;
  private readonly file: number;
  private window: Buffer = Buffer.alloc(0);
  private start = 0;

  constructor(path: string) {
    this.file = openSync(path, "r");
    this.size = fstatSync(this.file).size;
  }
  /** The byte at a place; undefined behind the end. */
  byte(at: number): number | undefined {
    if (at < this.start || at >= this.start + this.window.length) {
      this.window = this.slice(at, Math.min(at + WINDOW, this.size));
      this.start = at;
    }
    return this.window[at - this.start];
  }
  slice(start: number, end: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, end - start));
    readSync(this.file, bytes, { position: start });
    return bytes;
  }
  close(): void {
    closeSync(this.file);
  }
}

const WINDOW = 1 << 14;

/** A stretch of the file: a message, or a text. */
interface Stretch {
  start: number;
  end: number;
}

/** One field: its number, and its content where it is a message or a text. */
interface WireField {
  field: number;
  content?: Stretch;
}

/** The fields of a message, in order. */
function* fieldsOf(file: FileBytes, { start, end }: Stretch): Generator<WireField> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = at < end ? file.byte(at++) : undefined;
      if (byte === undefined) throw new Error("a message ends too soon");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < end) {
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
      if (at + length > end) throw new Error("a message ends too soon");
      const content = { start: at, end: at + length };
      yield { field, content };
      at += length;
    } else throw new Error(`wire type ${wire} is unknown`);
  }
}

const textsOf = (file: FileBytes, message: Stretch, wanted: number): string[] =>
  [...fieldsOf(file, message)].flatMap(({ field, content }) =>
    field === wanted && content ? [file.slice(content.start, content.end).toString("utf8")] : [],
  );

/** The parts of a graph that are read. */
export interface Graph {
  inputs: string[];
  outputs: string[];
  /** In the order they run. */
  nodes: { op: string; inputs: string[]; outputs: string[] }[];
  /** Names of the tensors with fixed values. */
  weights: Set<string>;
}

/** Reads a model's graph. @throws UserError when the file is no ONNX model or truncated */
export function readGraph(path: string): Graph {
  const graph: Graph = { inputs: [], outputs: [], nodes: [], weights: new Set() };
  const file = new FileBytes(path);
  try {
    for (const { field, content } of fieldsOf(file, { start: 0, end: file.size })) {
      if (field !== MODEL.graph || !content) continue;
      for (const { field: part, content: message } of fieldsOf(file, content)) {
        if (!message) continue;
        const texts = (wanted: number) => textsOf(file, message, wanted);
        if (part === GRAPH.initializer) for (const name of texts(TENSOR.name)) graph.weights.add(name);
        if (part === GRAPH.input) graph.inputs.push(...texts(VALUE.name));
        if (part === GRAPH.output) graph.outputs.push(...texts(VALUE.name));
        if (part === GRAPH.node)
          graph.nodes.push({ op: texts(NODE.op)[0], inputs: texts(NODE.input), outputs: texts(NODE.output) });
      }
    }
  } catch (error) {
    throw new UserError(`${path}: not a whole ONNX model (${(error as Error).message}). Fetch it again.`);
  } finally {
    file.close();
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
 * Bytes that make a tensor an output when they are appended to a model's file: protobuf merges a message at the
 * end with the first.
 */
export function outputOf(tensor: string): Uint8Array {
  const name = messageField(VALUE.name, Buffer.from(tensor));
  return messageField(MODEL.graph, messageField(GRAPH.output, name));
}
