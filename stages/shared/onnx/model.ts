/** ONNX models: their types, and how their files are read and written. Names are those of onnx.proto, in camel case. */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs/light.js";
import { UserError } from "../../../runner/stage.ts";
import { SCHEMA } from "./schema.ts";

/** A model: its graph, and the versions of the format and of the operators. */
export interface Model {
  irVersion: number;
  producerName?: string;
  graph: Graph;
  opsetImport: OperatorSet[];
  /** Texts by key, for whoever reads the file. */
  metadataProps?: Entry[];
}

export interface OperatorSet {
  /** "" or absent: ONNX's own operators. */
  domain?: string;
  version: number;
}

export interface Entry {
  key: string;
  value: string;
}

/** A graph. Nodes run in their order; tensors are known by their names. */
export interface Graph {
  name?: string;
  node: Node[];
  /** Tensors with fixed values: the weights. */
  initializer: Tensor[];
  /** In files before version 4 of the format, weights are among them: see {@link inputsOf}. */
  input: ValueInfo[];
  output: ValueInfo[];
  valueInfo?: ValueInfo[];
}

/** One operator. */
export interface Node {
  name?: string;
  opType: string;
  domain?: string;
  /** Names of tensors; "" for an optional one that is left out. */
  input: string[];
  output: string[];
  attribute?: Attribute[];
}

/** The kinds of values of an attribute. */
export const ATTRIBUTE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/** A param of a node. `type` is one of {@link ATTRIBUTE}, and tells which field holds the value. */
export interface Attribute {
  name: string;
  type?: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: Tensor;
  g?: Graph;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
}

/** The types of elements that this project reads and writes. */
export const ELEMENT = { float32: 1, int32: 6, int64: 7, float16: 10, float64: 11 } as const;

/** A tensor with fixed values: read them with `valuesOf`, make one with `tensorOf`. */
export interface Tensor {
  name: string;
  dims: number[];
  /** One of {@link ELEMENT}, or another that is passed on. */
  dataType: number;
  /** Little-endian, row-major. */
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  doubleData?: number[];
  /** 1: the values are in another file. */
  dataLocation?: number;
}

/** The name, type and shape of an input or output. */
export interface ValueInfo {
  name: string;
  type?: { tensorType?: { elemType: number; shape?: { dim: Dimension[] } } };
}

/** One length of a shape: a number, a name for an open length, or neither. */
export interface Dimension {
  dimValue?: number;
  dimParam?: string;
}

const message = protobuf.Root.fromJSON(SCHEMA).lookupType("Model");

/** Lists of a message are there, even empty; numbers of 64 bits are numbers. */
const PLAIN: protobuf.IConversionOptions = { longs: Number, arrays: true };

/**
 * Reads a model's bytes. Large tensors are views of them.
 * @param path for messages
 * @throws UserError when they are no ONNX model, or truncated
 */
export function decodeModel(bytes: Uint8Array, path: string): Model {
  let model: Model;
  try {
    model = message.toObject(message.decode(bytes), PLAIN) as Model;
  } catch (error) {
    throw new UserError(`${path}: not a whole ONNX model (${(error as Error).message}). Fetch it again.`);
  }
  if (!model.graph?.node.length) throw new UserError(`${path}: no ONNX model: it holds no graph.`);
  return model;
}

/** Reads a model's file. @throws UserError as {@link decodeModel} does */
export const readModel = (path: string): Model => decodeModel(readFileSync(path), path);

/** A model's bytes: the same for the same model. */
export const encodeModel = (model: Model): Uint8Array => message.encode(message.fromObject(model)).finish();

/** The inputs that a caller feeds: those that are no weights. */
export function inputsOf({ input, initializer }: Graph): ValueInfo[] {
  const weights = new Set(initializer.map(({ name }) => name));
  return input.filter(({ name }) => !weights.has(name));
}

/** The version of ONNX's own operators that a model is written in. */
export const opsetOf = ({ opsetImport }: Model): number =>
  opsetImport.find(({ domain }) => !domain || domain === "ai.onnx")?.version ?? 1;
