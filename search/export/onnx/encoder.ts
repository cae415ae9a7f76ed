/** The encoder of an index as one ONNX graph: views, backbone, head, projection, signs. */
import type * as layers from "@tensorflow/tfjs-layers";
import { UserError } from "../../../runner/stage.ts";
import type { Head } from "../../../stages/shared/artifacts/head.ts";
import type { Projection } from "../../../stages/shared/artifacts/projection.ts";
import { valueInfoOf } from "../../../stages/shared/onnx/build.ts";
import { Builder, type Name } from "../../../stages/shared/onnx/builder.ts";
import { normalised, runHead } from "../../../stages/shared/onnx/head.ts";
import { ELEMENT, type Model } from "../../../stages/shared/onnx/model.ts";
import type { Recipe } from "../../../stages/shared/search-index.ts";
import { pooled, runTrunk, type Trunk, trunkOf } from "./backbone.ts";
import { viewsOf } from "./views.ts";

/** The input of the graph: bytes `[count, height, width, channels]`, or pixels `[count, 3, height, width]`, scaled. */
export type InputForm = "bytes" | "pixels";

/** Names of the outputs. */
export const OUTPUTS = { features: "features", embedding: "embedding", outputs: "outputs", bits: "bits" };
/** Name of the input. */
export const INPUT = "images";
const UINT8 = 2;
/** Of the format: initialisers need not be inputs. */
const LEAST_FORMAT = 8;
/** Of the operators: Reshape takes the shape as an input, Add and Mul broadcast. */
const LEAST_OPSET = 7;

/** The parts of the graph. */
export interface Parts {
  recipe: Recipe;
  backbone: Model;
  /** The backbone's file. */
  path: string;
  head?: { model: layers.LayersModel; head: Head };
  projection: Projection;
}

/** Bytes to pixels `[count, 3, height, width]`, each channel as (byte / 255 - mean) / std. */
function scaled(graph: Builder, { backbone, image }: Recipe): Name {
  const { mean, std } = backbone;
  const numbers = graph.add("Cast", [INPUT], { to: ELEMENT.float32 });
  const planes = graph.add("Transpose", [numbers], { perm: [0, 3, 1, 2] });
  const colours = image.channels === 3 ? planes : graph.add("Concat", [planes, planes, planes], { axis: 1 });
  const scale = Float32Array.from(std, (value) => 1 / (255 * value));
  const shift = Float32Array.from(mean, (value, channel) => -value / std[channel]);
  const factor = graph.add("Mul", [colours, graph.weights([1, 3, 1, 1], scale)]);
  return graph.add("Add", [factor, graph.weights([1, 3, 1, 1], shift)]);
}

/** The mean over all views, rounded to float16 where the stages extract and join do. */
function featuresOf(
  graph: Builder,
  { recipe, dim, trunk }: { recipe: Recipe; dim: number; trunk: Trunk },
  images: Name,
): Name {
  const { views, image, backbone } = recipe;
  const resized = views.find(({ size }) => size !== image.height || size !== image.width);
  if (backbone.resampling === "bicubic" && resized)
    throw new UserError(
      `export: ${backbone.name} takes images resized by cubes to ${resized.size} px, which the graph cannot do. Make an index whose images have that size: npx deephash index FOLDER.`,
    );
  const of = views.map((view, at) => {
    const seen = viewsOf(graph, images, image, view).map((input, mirrored) =>
      pooled(
        graph,
        runTrunk(graph, trunk, input, `view${at}${mirrored ? "-mirrored" : ""}`),
        backbone.pooling,
        dim,
        trunk.opset,
      ),
    );
    return seen.length === 1 ? seen[0] : graph.add("Mul", [graph.add("Add", seen), graph.number(0.5)]);
  });
  if (of.length === 1) return graph.rounded(of[0], OUTPUTS.features);
  const sum = of
    .map((view) => graph.rounded(view))
    .reduce((before, next) => graph.add("Add", [before, next]));
  return graph.rounded(graph.add("Div", [sum, graph.number(of.length)]), OUTPUTS.features);
}

/** Everything that says how the model was made, and what its outputs mean. */
const metadataOf = (recipe: Recipe, form: InputForm): Record<string, string> => {
  const { backbone, views, image, head, bits, classes, encoder } = recipe;
  return {
    "deephash.encoder": encoder,
    "deephash.recipe": JSON.stringify({ input: form, image, backbone, views, head, bits }),
    "deephash.classes": JSON.stringify(classes),
  };
};

/**
 * The encoder as a model.
 * @throws UserError when the backbone or the head holds what cannot be written
 */
export async function encoderModel(
  { recipe, backbone, path, head, projection }: Parts,
  form: InputForm,
): Promise<Model> {
  const { image, bits, backbone: about } = recipe;
  const trunk = trunkOf(backbone, path, about.features);
  if (trunk.opset < LEAST_OPSET)
    throw new UserError(
      `export: ${path} is of version ${trunk.opset} of ONNX's operators, but ${LEAST_OPSET} is the first that can be written. Convert it with onnx.version_converter.`,
    );
  const graph = new Builder();
  graph.initializer.push(...trunk.weights);
  const dim = head ? head.head.input[0] : projection.dim;
  const images = form === "bytes" ? scaled(graph, recipe) : INPUT;
  const features = featuresOf(graph, { recipe, dim, trunk }, images);
  let embedding = features;
  if (head) {
    embedding = await runHead(graph, head.model, features);
    if (head.head.normalise) embedding = normalised(graph, embedding, projection.dim);
  }
  graph.add("Identity", [embedding], {}, OUTPUTS.embedding);
  const columns = new Float32Array(projection.dim * bits);
  for (let bit = 0; bit < bits; bit++)
    for (let d = 0; d < projection.dim; d++)
      columns[d * bits + bit] = projection.weights[bit * projection.dim + d];
  const product = graph.add("MatMul", [embedding, graph.weights([projection.dim, bits], columns)]);
  const outputs = graph.add("Add", [product, graph.weights([bits], projection.offset)], {}, OUTPUTS.outputs);
  graph.add("Cast", [graph.add("Greater", [outputs, graph.number(0)])], { to: UINT8 }, OUTPUTS.bits);
  const { height, width, channels } = image;
  const input =
    form === "bytes"
      ? valueInfoOf(INPUT, ["count", height, width, channels], UINT8)
      : valueInfoOf(INPUT, ["count", 3, height, width]);
  const { features: named, embedding: vector, outputs: values, bits: signs } = OUTPUTS;
  return {
    ...backbone,
    irVersion: Math.max(backbone.irVersion, LEAST_FORMAT),
    producerName: "DeepHash",
    graph: {
      name: "encoder",
      node: graph.node,
      initializer: graph.initializer,
      input: [input],
      output: [
        valueInfoOf(named, ["count", dim]),
        valueInfoOf(vector, ["count", projection.dim]),
        valueInfoOf(values, ["count", bits]),
        valueInfoOf(signs, ["count", bits], UINT8),
      ],
    },
    metadataProps: Object.entries(metadataOf(recipe, form)).map(([key, value]) => ({ key, value })),
  };
}
