/** Writes a trained network back into its ONNX model, with a head on top. */
import type * as layers from "@tensorflow/tfjs-layers";
import { modelOf, valueInfoOf } from "../onnx/build.ts";
import { Builder, type Name } from "../onnx/builder.ts";
import { normalised, runHead } from "../onnx/head.ts";
import { type Graph, inputsOf, type Model, opsetOf } from "../onnx/model.ts";
import { tensorOf } from "../onnx/tensors.ts";
import { before } from "./cut.ts";
import type { Activation, Step, Trainable } from "./steps.ts";
import { kernelToOnnx, type Values, withConstants } from "./weights.ts";

/** The output of the models that are written. */
export const EMBEDDING = "embedding";
/** Of the format: weights need not be inputs. */
const LEAST_FORMAT = 8;
/** From this version of the operators on, the limits of Clip are inputs. */
const CLIP_INPUTS = 11;

/** Writes steps one by one; every weight by the name that it was read with. */
class Writer {
  readonly graph: Builder;
  private readonly prefix: string;
  private readonly values: Map<string, Values>;
  private readonly opset: number;

  constructor(values: Map<string, Values>, opset: number, prefix: string) {
    this.graph = new Builder(prefix);
    this.prefix = prefix;
    this.values = values;
    this.opset = opset;
  }

  add(step: Step): void {
    const { graph } = this;
    const { x, y } = step;
    switch (step.op) {
      case "convolution": {
        const { strides, pads, dilations, groups: group, depthwise } = step;
        const kernel = kernelToOnnx(this.values.get(step.kernel)!, depthwise);
        const attributes = { strides, pads, dilations, group, kernel_shape: kernel.shape.slice(2) };
        this.activated(step.activation, y, (name) =>
          graph.add("Conv", [x, this.weight(step.kernel, kernel), this.weight(step.bias)], attributes, name),
        );
        return;
      }
      case "dense":
        this.activated(step.activation, y, (name) =>
          graph.add("Gemm", [x, this.weight(step.kernel), this.weight(step.bias)], {}, name),
        );
        return;
      case "scale":
        graph.add("Mul", [x, this.byChannel(step.scale)], {}, `${y}/scaled`);
        graph.add("Add", [`${y}/scaled`, this.byChannel(step.shift)], {}, y);
        return;
      case "clip":
        this.clip(x, step.low, step.high, y);
        return;
      case "add":
        graph.add("Add", [x, step.other], {}, y);
        return;
      case "max":
      case "average": {
        const { kernel: kernel_shape, strides, pads } = step;
        const window = { kernel_shape, strides, pads };
        if (step.op === "max") graph.add("MaxPool", [x], window, y);
        else graph.add("AveragePool", [x], { ...window, count_include_pad: Number(step.countPads) }, y);
        return;
      }
      case "mean":
        if (step.flat) graph.add("Flatten", [graph.add("GlobalAveragePool", [x])], { axis: 1 }, y);
        else graph.add("GlobalAveragePool", [x], {}, y);
        return;
      case "flatten":
        graph.add("Flatten", [x], { axis: 1 }, y);
    }
  }

  private weight(name: string, { shape, values } = this.values.get(name)!): Name {
    const own = `${this.prefix}weight/${name}`; // weights before this part, and tensors, may have the same name
    this.graph.initializer.push(tensorOf(own, shape, values));
    return own;
  }

  /** A number for each channel of an image. */
  private byChannel(name: string): Name {
    const { values } = this.values.get(name)!;
    return this.weight(name, { shape: [values.length, 1, 1], values });
  }

  /** Adds a layer by `make`, which is given the name of its output, and its activation. */
  private activated(activation: Activation, y: Name, make: (name: Name) => Name): void {
    if (activation === "linear") make(y);
    else this.clip(make(`${y}/linear`), 0, activation === "relu6" ? 6 : null, y);
  }

  private clip(x: Name, low: number | null, high: number | null, y: Name): void {
    const { graph } = this;
    if (low === 0 && high === null) graph.add("Relu", [x], {}, y);
    else if (this.opset >= CLIP_INPUTS) {
      const limits = [low, high].map((limit) => (limit === null ? "" : graph.number(limit)));
      graph.add("Clip", [x, ...limits.slice(0, high === null ? 1 : 2)], {}, y);
    } else {
      const given = Object.entries({ min: low, max: high }).filter(([, limit]) => limit !== null);
      const attributes = Object.fromEntries(given.map(([name, limit]) => [name, { float: limit as number }]));
      graph.add("Clip", [x], attributes, y);
    }
  }
}

/** A prefix that no name of a graph has: the graph may have been trained before. */
function prefixFor({ node, initializer }: Graph): string {
  const names = [...node.flatMap(({ output }) => output), ...initializer.map(({ name }) => name)];
  const free = (prefix: string) => !names.some((name) => name.startsWith(prefix));
  let prefix = "trained/";
  for (let again = 2; !free(prefix); again++) prefix = `trained-${again}/`;
  return prefix;
}

/**
 * The whole network from the images to the embedding as one model. Its input is the backbone's own, its output
 * {@link EMBEDDING}, `[batch, dim]`.
 * @param model of the backbone
 * @param weights of the trained part, in its order
 * @param head what takes the vectors that the part gives
 * @param normalise whether embeddings have length 1
 */
export async function exportTrained(
  model: Model,
  { from, to, steps, weights: named }: Trainable,
  weights: Float32Array[],
  head: { model: layers.LayersModel; dim: number },
  normalise: boolean,
  metadata: Record<string, string> = {},
): Promise<Model> {
  const graph = withConstants(model.graph);
  const values = new Map(named.map(({ name, shape }, at) => [name, { shape, values: weights[at] }]));
  const writer = new Writer(values, opsetOf(model), prefixFor(graph));
  const { nodes, initializer } = before(graph, from);
  writer.graph.node.push(...nodes);
  writer.graph.initializer.push(...initializer);
  for (const step of steps) writer.add(step);
  let embedding = await runHead(writer.graph, head.model, to);
  if (normalise) embedding = normalised(writer.graph, embedding, head.dim);
  writer.graph.add("Identity", [embedding], {}, EMBEDDING);
  const { node, initializer: all } = writer.graph;
  const written = modelOf(
    {
      name: "trained",
      node,
      initializer: all,
      input: inputsOf(graph),
      output: [valueInfoOf(EMBEDDING, ["N", head.dim])],
    },
    opsetOf(model),
    metadata,
  );
  return { ...written, irVersion: Math.max(model.irVersion, LEAST_FORMAT), opsetImport: model.opsetImport };
}

/** The part of a model after one of its tensors, as a model whose input that tensor is. @param shape of one example */
export function modelAfter(model: Model, tensor: string, shape: number[]): Model {
  const first = model.graph.node.findIndex(({ output }) => output.includes(tensor));
  const made = new Set([tensor]);
  const node = model.graph.node.slice(first + 1).filter(({ input, output }) => {
    const reached = input.some((name) => made.has(name));
    if (reached) for (const name of output) made.add(name);
    return reached;
  });
  const used = new Set(node.flatMap(({ input }) => input));
  return {
    ...model,
    graph: {
      ...model.graph,
      node,
      initializer: model.graph.initializer.filter(({ name }) => used.has(name)),
      input: [valueInfoOf(tensor, ["N", ...shape])],
    },
  };
}
