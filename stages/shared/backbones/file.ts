/**
 * Any ONNX file, described in pipeline.yaml: name the file as the input `model` of the stage `extract`, as
 * `model: ./my.onnx`. Its content is part of the key, so that it needs no pinned checksum, nor the stage `backbone`.
 */
import { type Backbone, defineBackbone, IMAGENET } from "../backbone.ts";

const channels = (description: string, value: number[], limits = {}) => ({
  type: "array" as const,
  items: { type: "number" as const, ...limits },
  minItems: 3,
  maxItems: 3,
  default: value,
  description: `${description}, of red, green and blue`,
});
const SIDE = 224;

export default defineBackbone({
  params: {
    name: {
      type: "string",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$",
      description: "what reports call the network",
    },
    size: { type: "integer", minimum: 1, default: SIDE, description: "side of the square input" },
    multiple_of: {
      type: "integer",
      minimum: 1,
      default: 1,
      description: "the side must be a multiple of this",
    },
    mean: channels("subtracted from byte / 255", IMAGENET.mean),
    std: channels("what the rest is divided by", IMAGENET.std, { exclusiveMinimum: 0 }),
    resampling: {
      enum: ["bilinear", "bicubic"],
      default: "bilinear",
      description: "how images are resized",
    },
    features: {
      type: "string",
      minLength: 1,
      optional: true,
      description:
        "the tensor that holds the features; without it, what enters the last fully connected layer",
    },
    pooling: {
      enum: ["cls", "mean", "both"],
      optional: true,
      description:
        "of a transformer's tokens [images, tokens, dim]: the first, the class token; the mean of those after it; or both, side by side",
    },
    batch: {
      type: "integer",
      minimum: 1,
      optional: true,
      description: "the largest batch the file takes; without it, any",
    },
  },
  ...IMAGENET,
  size: SIDE,
  multipleOf: 1,
  described: ({ name, size, multiple_of, mean, std, resampling, features, pooling, batch }) => ({
    name,
    size,
    multipleOf: multiple_of,
    mean: mean as Backbone["mean"],
    std: std as Backbone["std"],
    ...(resampling === "bicubic" && { resampling }),
    features,
    pooling,
    batch,
  }),
});
