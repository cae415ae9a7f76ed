/** ConvNeXt-T (Liu et al. 2022), 768 features. ImageNet weights. */
import { type Backbone, IMAGENET } from "../backbone.ts";
import { unverified } from "../download/fetch.ts";

export default {
  params: unverified({
    file: "convnext-tiny.onnx",
    urls: ["https://huggingface.co/Xenova/convnext-tiny-224/resolve/main/onnx/model.onnx"],
  }),
  ...IMAGENET,
  resampling: "bicubic",
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
