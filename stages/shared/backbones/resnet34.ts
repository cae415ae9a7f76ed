/** ResNet-34 v1 (He et al. 2016), 512 features. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "resnet34-v1-7.onnx",
    sha256: "883a41b2e30ddc2e422c108b091b5e70b92d37dc5c345a2c563dcae27971e2cc",
    urls: [zooUrl("resnet/model/resnet34-v1-7.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
