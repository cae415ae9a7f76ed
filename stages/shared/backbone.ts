/** The interface of a file of backbones/: a part of the stages `backbone` and `extract`. */
import type { ParamSchemas, ParamsOf, Part, PartDefinition, WithSchemas } from "../../runner/stage.ts";

/** How the tokens of a transformer become one vector: see `pool` of the stage extract. */
export type Pooling = "cls" | "mean" | "both";

/** A pretrained network that turns images into features. */
export interface Backbone<P = Record<string, unknown>> extends PartDefinition {
  /** Side of the square input, unless pipeline.yaml says otherwise. */
  size: number;
  /** Each channel (red, green, blue) enters as (byte / 255 - mean) / std. */
  mean: [number, number, number];
  std: [number, number, number];
  /** The side must be a multiple of this. */
  multipleOf: number;
  /** The largest batch the file takes; absent where any will do. */
  batch?: number;
  /** The tensor that holds the features; absent: what enters the last fully connected layer. */
  features?: string;
  /** Of a network whose features are tokens. */
  pooling?: Pooling;
  /** Of a backbone whose params describe it: what they say. Its file is the user's, and no download. */
  described?(params: P): Partial<Backbone> & { name: string };
}

/** Declares a backbone that its params describe; those of `described` have the types that its JSON Schemas accept. */
export function defineBackbone<const S extends ParamSchemas>(
  backbone: WithSchemas<Backbone<ParamsOf<S>>, S>,
): Backbone<ParamsOf<S>> {
  return backbone;
}

/** The backbone of a stage, by its own values or by its params, and its name in reports. */
export function backboneOf({ name, part, params }: Part): Backbone & { name: string } {
  const backbone = part as Backbone;
  return { name, ...backbone, ...backbone.described?.(params) };
}

/** How torchvision and the ONNX Model Zoo scale ImageNet images. */
export const IMAGENET: Pick<Backbone, "mean" | "std"> = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Where the ONNX Model Zoo serves a classification model. */
export const zooUrl = (path: string): string =>
  `https://media.githubusercontent.com/media/onnx/models/main/validated/vision/classification/${path}`;
