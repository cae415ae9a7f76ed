/** A graph that is built node by node. */
import { type AttributeValue, nodeOf } from "./build.ts";
import { ELEMENT, type Graph, type Node, type Tensor } from "./model.ts";
import { integersOf, tensorOf } from "./tensors.ts";

/** A tensor of the graph, by its name. */
export type Name = string;

/** Nodes and weights, in the order in which they were added. */
export class Builder implements Pick<Graph, "node" | "initializer"> {
  readonly node: Node[] = [];
  readonly initializer: Tensor[] = [];
  private readonly prefix: string;
  private count = 0;

  /** @param prefix of the tensors that have no name of their own: no other name of the graph begins like this */
  constructor(prefix = "deephash/") {
    this.prefix = prefix;
  }

  private fresh(): Name {
    return `${this.prefix}${this.count++}`;
  }

  /** Adds one of ONNX's own operators. @param name of its output; else it gets one */
  add(
    op: string,
    inputs: Name[],
    attributes: Record<string, AttributeValue> = {},
    name: Name = this.fresh(),
  ): Name {
    this.node.push(nodeOf(op, inputs, [name], attributes));
    return name;
  }

  /** A tensor of float32 with fixed values. */
  weights(dims: readonly number[], values: Float32Array): Name {
    const name = this.fresh();
    this.initializer.push(tensorOf(name, dims, values));
    return name;
  }

  /** One number. */
  number(value: number): Name {
    return this.weights([], Float32Array.of(value));
  }

  /** A list of int64. */
  integers(values: readonly number[]): Name {
    const name = this.fresh();
    this.initializer.push(integersOf(name, values));
    return name;
  }

  /** Rounds to float16 and back, as features are kept. */
  rounded(x: Name, name?: Name): Name {
    const half = this.add("Cast", [x], { to: ELEMENT.float16 });
    return this.add("Cast", [half], { to: ELEMENT.float32 }, name);
  }
}
