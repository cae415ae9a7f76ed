/** A trained head as nodes. */
import type * as layers from "@tensorflow/tfjs-layers";
import { UserError } from "../../../runner/stage.ts";
import { valuesOf } from "../compute/variables.ts";
import type { Builder, Name } from "./builder.ts";

type Layer = layers.layers.Layer;

/** Activations of tfjs, and their operators. */
const ACTIVATIONS: Record<string, string> = { relu: "Relu", tanh: "Tanh", sigmoid: "Sigmoid", elu: "Elu" };

/** Layers that leave the vectors of features as they are when a model is used. */
const NOTHING = ["InputLayer", "Dropout"];

function activated(graph: Builder, x: Name, name: string): Name {
  if (name === "linear") return x;
  const op = ACTIVATIONS[name];
  if (!op)
    throw new UserError(
      `the head has the activation "${name}". There are ${Object.keys(ACTIVATIONS).join(", ")}.`,
    );
  return graph.add(op, [x]);
}

/** How each layer of a head is written, by its class in tfjs. */
const LAYERS: Record<string, (graph: Builder, x: Name, layer: Layer, values: Float32Array[]) => Name> = {
  Dense(graph, x, layer, [kernel, bias]) {
    const { activation } = layer.getConfig();
    const [rows, columns] = layer.weights[0].shape as number[];
    let y = graph.add("MatMul", [x, graph.weights([rows, columns], kernel)]);
    if (bias) y = graph.add("Add", [y, graph.weights([columns], bias)]);
    return activated(graph, y, String(activation));
  },
  /** By its running means, as one product and one sum. */
  BatchNormalization(graph, x, layer, given) {
    const { epsilon, scale, center } = layer.getConfig() as Record<string, number | boolean>;
    const values = given.slice();
    const gamma = scale ? values.shift() : undefined;
    const beta = center ? values.shift() : undefined;
    const [mean, variance] = values;
    const factor = variance.map((value, i) => (gamma?.[i] ?? 1) / Math.sqrt(value + Number(epsilon)));
    const shift = mean.map((value, i) => (beta?.[i] ?? 0) - value * factor[i]);
    const dims = [mean.length];
    return graph.add("Add", [graph.add("Mul", [x, graph.weights(dims, factor)]), graph.weights(dims, shift)]);
  },
  ReLU(graph, x, layer) {
    const { maxValue } = layer.getConfig();
    const y = graph.add("Relu", [x]);
    return typeof maxValue === "number" ? graph.add("Min", [y, graph.number(maxValue)]) : y;
  },
  Activation: (graph, x, layer) => activated(graph, x, String(layer.getConfig().activation)),
  PReLU(graph, x, _, [alpha]) {
    return graph.add("PRelu", [x, graph.weights([alpha.length], alpha)]);
  },
};

/**
 * Adds a head.
 * @param x `[count, dim]`
 * @returns `[count, units of its last layer]`, not normalised
 * @throws UserError for a layer that is not written
 */
export async function runHead(graph: Builder, model: layers.LayersModel, x: Name): Promise<Name> {
  let y = x;
  for (const layer of model.layers) {
    const kind = layer.getClassName();
    if (NOTHING.includes(kind)) continue;
    const write = LAYERS[kind];
    if (!write || layer.inboundNodes.length !== 1 || layer.inboundNodes[0].inboundLayers.length !== 1)
      throw new UserError(
        `the head has the layer ${layer.name} (${kind}). One after the other these are written: ${Object.keys(LAYERS).join(", ")}.`,
      );
    y = write(graph, y, layer, await valuesOf(layer.getWeights()));
  }
  return y;
}

/** Rows at length 1, as `normaliseRows` makes them. @param x `[count, dim]` */
export function normalised(graph: Builder, x: Name, dim: number): Name {
  // A product with ones is a sum in every version of the operators.
  const squares = graph.add("MatMul", [
    graph.add("Mul", [x, x]),
    graph.weights([dim, 1], new Float32Array(dim).fill(1)),
  ]);
  const length = graph.add("Sqrt", [graph.add("Add", [squares, graph.number(1e-12)])]);
  return graph.add("Div", [x, length]);
}
