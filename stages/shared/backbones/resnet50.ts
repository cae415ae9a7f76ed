/** ResNet-50 v1 (He et al. 2016), 2048 features. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "resnet50-v1-7.onnx",
    sha256: "af16a04a6ec48ac494065d4439fe9dea590d337b9ca6dc328160ccf04a217b9c",
    urls: [zooUrl("resnet/model/resnet50-v1-7.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
