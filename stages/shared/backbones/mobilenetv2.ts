/**
 * MobileNetV2 1.0 (Sandler et al. 2018) with the ImageNet weights of Keras, batch norm folded; 1280 features.
 * No public address serves this very file: it comes from a mirror folder. `mobilenetv2-zoo` has an address.
 */
import type { Backbone } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "mobilenetv2-1.0-224.onnx",
    sha256: "d2dac6005ea973a65b837429226747ef1c58b327f0770de86815e40b38b31fcc",
    urls: [],
  }),
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  size: 224,
  multipleOf: 32,
  features: "features",
} satisfies Backbone;
