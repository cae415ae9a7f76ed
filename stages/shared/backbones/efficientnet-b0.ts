/** EfficientNet-B0 (Tan & Le 2019), 1280 features. ImageNet weights; export torchvision's to ONNX. */
import { type Backbone, IMAGENET } from "../backbone.ts";
import { unverified } from "../download/fetch.ts";

export default {
  params: unverified({
    file: "efficientnet-b0.onnx",
    urls: [],
  }),
  ...IMAGENET,
  resampling: "bicubic",
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
