/** The nodes of an ONNX graph between two tensors. */
import { closest } from "fastest-levenshtein";
import { UserError } from "../../../runner/stage.ts";
import { type Graph, inputsOf, type Model, type Node } from "../onnx/model.ts";

/** The name by which a caller asks for the network's own input. */
export const INPUT = "input";

/** Inputs of a node that carry images or vectors: the others hold shapes or weights. */
const dataOf = ({ opType, input }: Node): string[] =>
  opType === "Add" || opType === "Sum" ? input : input.slice(0, 1);

/** The nodes that a tensor is made by, up to those in `ends`, in the order they run; and the tensors they start at. */
function reach(graph: Graph, to: string, ends: ReadonlySet<string>) {
  const makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const used = new Set<Node>();
  const starts = new Set<string>();
  const wanted = [to];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const node = ends.has(name) ? undefined : makers.get(name);
    if (!node) starts.add(name);
    else if (!used.has(node)) {
      used.add(node);
      wanted.push(...dataOf(node));
    }
  }
  return { nodes: graph.node.filter((node) => used.has(node)), starts };
}

/** The tensors that all of the way from the input to `to` passes through, in their order. */
function layersOf(graph: Graph, to: string): string[] {
  const { nodes } = reach(graph, to, new Set());
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const inputs = new Set(inputsOf(graph).map(({ name }) => name));
  // A tensor is a cut where nothing that was made before it is read after it.
  const lastRead = new Map<string, number>();
  for (const [at, node] of nodes.entries()) for (const name of dataOf(node)) lastRead.set(name, at);
  const made = [...inputs].filter((name) => lastRead.has(name));
  return nodes.flatMap((node, at) => {
    const open = made.filter((name) => !weights.has(name) && lastRead.get(name)! > at);
    made.push(node.output[0]);
    return open.length === 0 ? [node.output[0]] : [];
  });
}

/**
 * Cuts a network.
 * @param from the tensor that enters the part, or {@link INPUT}
 * @param to the tensor that comes out of it
 * @returns the name of the tensor that enters, and the nodes, in the order they run
 * @throws UserError when there is no such tensor, or the network has ways around it
 */
export function cut(
  { graph }: Model,
  from: string,
  to: string,
  path: string,
): { from: string; nodes: Node[] } {
  const [input] = inputsOf(graph);
  const names = new Set(graph.node.flatMap(({ output }) => output));
  const start = from === INPUT && !names.has(from) ? input.name : from;
  if (!names.has(to))
    throw new UserError(`${path}: holds no tensor "${to}". Is it the file of this backbone?`);
  const layers = layersOf(graph, to);
  if (start !== input.name && !layers.includes(start)) {
    if (!names.has(start))
      throw new UserError(
        `${path}: holds no tensor "${start}" to train from. Did you mean "${closest(start, layers)}"?`,
      );
    const until = reach(graph, start, new Set()).nodes.flatMap(({ output }) => output);
    const earlier = layers.findLast((name) => until.includes(name)) ?? INPUT;
    throw new UserError(
      `${path}: the network goes on beside the tensor "${start}", too, so that training cannot start there. The last before it that all passes through is "${earlier}".`,
    );
  }
  const { nodes } = reach(graph, to, new Set([start]));
  if (nodes.length === 0)
    throw new UserError(`${path}: nothing is between "${start}" and "${to}". Train from an earlier layer.`);
  return { from: start, nodes };
}

/** The part of a graph that makes a tensor: nodes, in the order they run, and weights. */
export function before(graph: Graph, tensor: string): Pick<Graph, "initializer"> & { nodes: Node[] } {
  const needed = new Set([tensor]);
  const nodes: Node[] = [];
  for (const node of graph.node.toReversed())
    if (node.output.some((name) => needed.has(name))) {
      nodes.unshift(node);
      for (const name of node.input) needed.add(name);
    }
  return { nodes, initializer: graph.initializer.filter(({ name }) => needed.has(name)) };
}
