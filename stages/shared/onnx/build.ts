/** Makes the parts of an ONNX model. */

import type { ValueInfo } from "./model.ts";
import {
  ATTRIBUTE,
  type Attribute,
  ELEMENT,
  type Graph,
  type Model,
  type Node,
  type Tensor,
} from "./model.ts";

/** An attribute as a caller writes it: `{ float: 6 }` where a whole number is of the type float. */
export type AttributeValue = number | readonly number[] | string | Tensor | { float: number };

function attribute(name: string, value: AttributeValue): Attribute {
  if (typeof value === "string") return { name, type: ATTRIBUTE.string, s: Buffer.from(value) };
  if (typeof value === "number")
    return Number.isInteger(value)
      ? { name, type: ATTRIBUTE.int, i: value }
      : { name, type: ATTRIBUTE.float, f: value };
  if ("float" in value) return { name, type: ATTRIBUTE.float, f: value.float };
  if ("dims" in value) return { name, type: ATTRIBUTE.tensor, t: value };
  return { name, type: ATTRIBUTE.ints, ints: [...value] };
}

/** A node of ONNX's own operators, as {@link nodeOf}("Conv", ["x", "w"], ["y"], { pads: [1, 1, 1, 1] }). */
export const nodeOf = (
  opType: string,
  input: string[],
  output: string[],
  attributes: Record<string, AttributeValue> = {},
): Node => ({
  opType,
  input,
  output,
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
});

/** The name and shape of an input or output; a text stands for a length that is left open. */
export const valueInfoOf = (
  name: string,
  dims: readonly (number | string)[],
  elemType: number = ELEMENT.float32,
): ValueInfo => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: {
        dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })),
      },
    },
  },
});

/** A model of a graph, in version 8 of the format. @param opset version of ONNX's operators */
export const modelOf = (graph: Graph, opset = 13, metadata: Record<string, string> = {}): Model => ({
  irVersion: 8,
  producerName: "DeepHash",
  graph,
  opsetImport: [{ domain: "", version: opset }],
  metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
});
