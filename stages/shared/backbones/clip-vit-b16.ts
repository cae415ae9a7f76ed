/** The image tower of CLIP ViT-B/16 (Radford et al. 2021), 512 features, the projected class token. */
import { type Backbone, CLIP } from "../backbone.ts";
import { unverified } from "../download/fetch.ts";

export default {
  params: unverified({
    file: "clip-vit-b16.onnx",
    urls: ["https://huggingface.co/Xenova/clip-vit-base-patch16/resolve/main/onnx/vision_model.onnx"],
  }),
  ...CLIP,
  size: 224,
  multipleOf: 224, // its positions are those of one size
  features: "image_embeds",
} satisfies Backbone;
