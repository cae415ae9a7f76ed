/** A pretrained backbone that trains, from one of its layers or whole, with a network on top. */
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { type Part, UserError } from "../../runner/stage.ts";
import type { Entry, Examples } from "../shared/artifacts/examples.ts";
import type { TunedBackbone } from "../shared/artifacts/head.ts";
import { type Backbone, backboneOf, scalingOf } from "../shared/backbone.ts";
import { valuesOf } from "../shared/compute/variables.ts";
import { readModel } from "../shared/onnx/model.ts";
import { featureTensor, readGraph } from "../shared/onnx/outline.ts";
import { INPUT } from "../shared/trainable/cut.ts";
import { exportTrained } from "../shared/trainable/export.ts";
import { importTrainable } from "../shared/trainable/import.ts";
import { TrainableLayer } from "../shared/trainable/layer.ts";
import { runTrainable } from "../shared/trainable/run.ts";
import { registerTrainingKernels } from "./engine/kernels.ts";
import type { Network, NetworkDefinition } from "./network.ts";
import type { Params } from "./params.ts";

/** The backbone that a training reaches into. */
export interface Tuning {
  backbone: Backbone & { name: string };
  /** The tensor that training starts from; {@link INPUT}: the images. */
  from: string;
  /** Side of the images. */
  size: number;
}

/**
 * Reads from the params and parts which backbone trains, and from where; undefined where the features are frozen.
 * @throws UserError where they do not fit together
 */
export function tuningOf(params: Params, parts: Record<string, Part>): Tuning | undefined {
  const { from, size } = params;
  if (!parts.backbone) {
    if (from === undefined && size === undefined) return undefined;
    throw new UserError(
      `train: "${from === undefined ? "size" : "from"}" is about a backbone that trains: name it as "backbone", too.`,
    );
  }
  const backbone = backboneOf(parts.backbone);
  if ((parts.network.part as NetworkDefinition).takes !== "features")
    throw new UserError(
      `train: the network "${parts.network.name}" takes images, but on top of a backbone one of features is expected: linear or mlp.`,
    );
  const side = size ?? backbone.size;
  if (side % backbone.multipleOf !== 0)
    throw new UserError(
      `train: size ${side} does not fit ${backbone.name}: it takes multiples of ${backbone.multipleOf}.`,
    );
  return { backbone, from: from ?? INPUT, size: side };
}

/** How images enter the backbone; undefined where training starts from a layer. */
export const entryOf = ({ backbone, from, size }: Tuning): Entry | undefined =>
  from === INPUT ? { ...scalingOf(backbone), size } : undefined;

/** The entry of a trained model about its backbone. */
export const describeTuning = ({ backbone, from, size }: Tuning): TunedBackbone => {
  const { name } = backbone;
  return { name, from, size, ...scalingOf(backbone) };
};

/** Refuses the activations of another layer or backbone. */
export function checkActivations(tuning: Tuning | undefined, { metadata }: Examples, path: string): void {
  const { layer, backbone } = metadata;
  if (!tuning) {
    if (layer !== undefined)
      throw new UserError(
        `${path}: holds what enters the layer "${layer}" of ${backbone}, which trains from there: say "backbone: ${backbone}" and "from: ${layer}".`,
      );
    return;
  }
  const { name } = tuning.backbone;
  if (tuning.from !== INPUT && (layer !== tuning.from || backbone !== name))
    throw new UserError(
      `${path}: holds ${layer === undefined ? "features" : `the layer "${layer}"`} of ${backbone}, but training starts from "${tuning.from}" of ${name}. Extract with "layer: ${tuning.from}".`,
    );
}

/**
 * Builds the network: the backbone from the layer on, and a head on the vectors that it gives.
 * @param model path of the backbone's file
 * @param examples that enter, `[height, width, 3]`, or `[channels, height, width]` as a layer gives them
 * @param head builds the network on top @param input length of its input
 * @throws UserError as `importTrainable` does
 */
export function buildTuned(
  { backbone, from }: Tuning,
  path: string,
  { shape }: Pick<Examples, "shape">,
  head: (input: number[]) => Network,
  dim: number,
): Network {
  registerTrainingKernels();
  const model = readModel(path);
  const features = backbone.features ?? featureTensor(readGraph(path), path);
  const trainable = importTrainable(model, from, features, path);
  const channelsFirst = from !== INPUT && shape.length === 3;
  const [channels, height, width] = channelsFirst ? shape : [shape[2], shape[0], shape[1]];
  const image = shape.length === 3 ? [1, height, width, channels] : [1, ...shape];
  const length = tf.tidy(() => {
    const weights = trainable.weights.map(({ values, shape }) => tf.tensor(values, shape));
    return runTrainable(trainable, tf.zeros(image), weights).shape[1] as number;
  });
  const layer = new TrainableLayer(trainable, channelsFirst, length);
  const x = layers.input({ shape });
  const vectors = layer.apply(x) as layers.SymbolicTensor;
  const top = head([length]);
  const y = top.model.apply(vectors) as layers.SymbolicTensor;
  const weights = () => layer.variables();
  return {
    model: layers.model({ inputs: x, outputs: y }),
    train: (batch) => top.train(layer.call(batch)),
    backbone: weights().filter((_, at) => trainable.weights[at].trainable),
    async toModel(normalise) {
      return exportTrained(model, trainable, await valuesOf(weights()), { model: top.model, dim }, normalise);
    },
  };
}
