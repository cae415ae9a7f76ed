/** The interface of a file of backbones/: a part of the stages `backbone` and `extract`. */
import type { ParamSchemas, ParamsOf, Part, PartDefinition, WithSchemas } from "../../runner/stage.ts";

import type { Resampling } from "./pixels/shape.ts";

/** How the tokens of a transformer become one vector: see `pool` of the stage extract. */
export type Pooling = "cls" | "mean" | "both";

/** A pretrained network that turns images into features. */
export interface Backbone<P = Record<string, unknown>> extends PartDefinition {
  /** Side of the square input, unless pipeline.yaml says otherwise. */
  size: number;
  /** Each channel (red, green, blue) enters as (byte / 255 - mean) / std. */
  mean: [number, number, number];
  std: [number, number, number];
  /** How the images of its training were resized; default bilinear. */
  resampling?: Resampling;
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

/** The param of a transformer that says how its tokens become one vector. */
export const poolingParam = {
  pooling: {
    enum: ["cls", "mean", "both"],
    default: "cls",
    description: "of the tokens: the class token; the mean of the others; or both, side by side",
  },
} as const;

/** How images enter a backbone, as an index and a trained model keep it. */
export const scalingOf = ({
  mean,
  std,
  resampling,
}: Backbone): Pick<Backbone, "mean" | "std" | "resampling"> => ({
  mean,
  std,
  ...(resampling && { resampling }),
});

/** How torchvision and the ONNX Model Zoo scale ImageNet images. */
export const IMAGENET: Pick<Backbone, "mean" | "std"> = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** How CLIP scales and resizes images. */
export const CLIP: Pick<Backbone, "mean" | "std" | "resampling"> = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  resampling: "bicubic",
};

/** Where the ONNX Model Zoo serves a classification model. */
export const zooUrl = (path: string): string =>
  `https://media.githubusercontent.com/media/onnx/models/main/validated/vision/classification/${path}`;
