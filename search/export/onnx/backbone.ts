/** A backbone's graph as a part of another graph. */
import { UserError } from "../../../runner/stage.ts";
import type { Pooling } from "../../../stages/shared/backbone.ts";
import type { Builder, Name } from "../../../stages/shared/onnx/builder.ts";
import { inputsOf, type Model, type Node, opsetOf, type Tensor } from "../../../stages/shared/onnx/model.ts";
import { featureTensor, readGraph } from "../../../stages/shared/onnx/outline.ts";

/** From this version on the axes of ReduceMean are an input. */
const AXES_AS_INPUT = 18;
/** From this version on Slice takes inputs. */
const SLICE_INPUTS = 10;

/** A backbone without what its features do not need. */
export interface Trunk {
  /** In the order they run. */
  nodes: Node[];
  weights: Tensor[];
  input: Name;
  features: Name;
  opset: number;
}

/** The tensors that a node uses; those of graphs inside it, too. */
const usedBy = ({ input, attribute }: Node): Name[] => [
  ...input,
  ...(attribute ?? []).flatMap(({ g }) => g?.node.flatMap(usedBy) ?? []),
];

/**
 * The part of a backbone's graph that its features need.
 * @param path of its file @param features the tensor that holds them; without it, what enters the last fully connected layer
 */
export function trunkOf(model: Model, path: string, features?: string): Trunk {
  const tensor = features ?? featureTensor(readGraph(path), path);
  const needed = new Set([tensor]);
  const nodes: Node[] = [];
  for (const node of model.graph.node.toReversed())
    if (node.output.some((name) => needed.has(name))) {
      nodes.unshift(node);
      for (const name of usedBy(node)) needed.add(name);
    }
  const weights = model.graph.initializer.filter(({ name }) => needed.has(name));
  const outside = weights.find(({ dataLocation }) => dataLocation === 1);
  if (outside)
    throw new UserError(
      `export: ${path} keeps the tensor "${outside.name}" in another file. Save the backbone as one file.`,
    );
  return { nodes, weights, input: inputsOf(model.graph)[0].name, features: tensor, opset: opsetOf(model) };
}

function renamed(node: Node, nameOf: (name: Name) => Name): Node {
  return {
    ...node,
    name: "",
    input: node.input.map(nameOf),
    output: node.output.map(nameOf),
    attribute: node.attribute?.map((one) =>
      one.g ? { ...one, g: { ...one.g, node: one.g.node.map((inner) => renamed(inner, nameOf)) } } : one,
    ),
  };
}

/**
 * Adds a copy of the nodes, at work on a tensor. Copies share their weights, which the caller adds.
 * @param label of the copy
 * @returns the features as the backbone gives them
 */
export function runTrunk(graph: Builder, { nodes, input, features }: Trunk, on: Name, label: string): Name {
  const made = new Set(nodes.flatMap(({ output }) => output));
  const nameOf = (name: Name) => {
    if (name === input) return on;
    return name !== "" && made.has(name) ? `${label}/${name}` : name;
  };
  graph.node.push(...nodes.map((node) => renamed(node, nameOf)));
  return nameOf(features);
}

/** The mean over an axis, without it. */
function mean(graph: Builder, x: Name, axis: number, opset: number): Name {
  return opset < AXES_AS_INPUT
    ? graph.add("ReduceMean", [x], { axes: [axis], keepdims: 0 })
    : graph.add("ReduceMean", [x, graph.integers([axis])], { keepdims: 0 });
}

/** One vector of `dim` values an image, out of tokens where there are some: see `pool` of the stage extract. */
export function pooled(
  graph: Builder,
  x: Name,
  pooling: Pooling | undefined,
  dim: number,
  opset: number,
): Name {
  if (!pooling) return graph.add("Reshape", [x, graph.integers([-1, dim])]);
  if (opset < SLICE_INPUTS)
    throw new UserError(
      `export: the backbone is of version ${opset} of ONNX's operators; its tokens can be pooled from version ${SLICE_INPUTS}. Convert it with onnx.version_converter.`,
    );
  const slice = (from: number, to: number) =>
    mean(
      graph,
      graph.add("Slice", [x, graph.integers([from]), graph.integers([to]), graph.integers([1])]),
      1,
      opset,
    );
  const parts = [
    ...(pooling === "mean" ? [] : [slice(0, 1)]),
    ...(pooling === "cls" ? [] : [slice(1, 2 ** 31 - 1)]),
  ];
  return parts.length === 1 ? parts[0] : graph.add("Concat", parts, { axis: 1 });
}
