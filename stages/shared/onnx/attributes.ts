/** The attributes of a node, with the defaults of ONNX's operators. */
import type { Attribute, Node } from "./model.ts";

const find = ({ attribute }: Node, name: string): Attribute | undefined =>
  attribute?.find((one) => one.name === name);

/** A whole number. */
export const intOf = (node: Node, name: string, otherwise: number): number => {
  const found = find(node, name);
  return found ? (found.i ?? 0) : otherwise;
};

/** A number. */
export const floatOf = (node: Node, name: string, otherwise: number): number => {
  const found = find(node, name);
  return found ? (found.f ?? 0) : otherwise;
};

/** A list of whole numbers; undefined where the node has none. */
export const intsOf = (node: Node, name: string): number[] | undefined => find(node, name)?.ints;

/** A text. */
export const textOf = (node: Node, name: string, otherwise: string): string => {
  const found = find(node, name);
  return found ? Buffer.from(found.s ?? []).toString("utf8") : otherwise;
};
