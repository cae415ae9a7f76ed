/** ResNet-18 v1 (He et al. 2016), 512 features. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "resnet18-v1-7.onnx",
    sha256: "4e8f8653e7a2222b3904cc3fe8e304cd8b339ce1d05fd24688162f86fb6df52c",
    urls: [zooUrl("resnet/model/resnet18-v1-7.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
