/** MobileNetV2 of the ONNX Model Zoo (Sandler et al. 2018), 1280 features. ONNX Model Zoo, ImageNet weights. */
import { type Backbone, IMAGENET, zooUrl } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "mobilenetv2-12.onnx",
    sha256: "c0c3f76d93fa3fd6580652a45618618a220fced18babf65774ed169de0432ad5",
    urls: [zooUrl("mobilenet/model/mobilenetv2-12.onnx")],
  }),
  ...IMAGENET,
  size: 224,
  multipleOf: 32,
} satisfies Backbone;
