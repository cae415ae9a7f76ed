/** VGG19 (Simonyan & Zisserman 2015), 4096 features. The file takes one image at a time. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "vgg19-7.onnx",
    sha256: "692f9f927f1df1b89033787a77a73eac59fd9b3344f9ecdf0b13221e41c2046f",
    urls: [zooUrl("vgg/model/vgg19-7.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 224,
  batch: 1,
} satisfies Backbone;
