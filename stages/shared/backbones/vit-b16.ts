/** ViT-B/16 (Dosovitskiy et al. 2021), 768 features, the class token. ImageNet-21k and ImageNet weights. */
import type { Backbone } from "../backbone.ts";
import { unverified } from "../download/fetch.ts";

export default {
  params: unverified({
    file: "vit-b16.onnx",
    urls: ["https://huggingface.co/Xenova/vit-base-patch16-224/resolve/main/onnx/model.onnx"],
  }),
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  size: 224,
  multipleOf: 224, // its positions are those of one size
} satisfies Backbone;
