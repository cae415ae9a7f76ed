/** ResNet-101 v1 (He et al. 2016), 2048 features. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "resnet101-v1-7.onnx",
    sha256: "760702f6ec0138f71ebac66f4e95d1c72dc9267a8544f4d4667a53075fd0497c",
    urls: [zooUrl("resnet/model/resnet101-v1-7.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
