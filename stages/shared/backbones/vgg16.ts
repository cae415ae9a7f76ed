/** VGG16 (Simonyan & Zisserman 2015), 4096 features. The file takes one image at a time. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "vgg16-7.onnx",
    sha256: "f20805a3ecccaa88647bbab4ad011ff2412a9838485ea844de0fcbce349820b9",
    urls: [zooUrl("vgg/model/vgg16-7.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 224,
  batch: 1,
} satisfies Backbone;
