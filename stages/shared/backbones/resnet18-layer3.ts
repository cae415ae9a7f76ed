/**
 * torchvision's ResNet-18 up to its third block; 256 features, weak ones: for checking the ResNet path. No
 * public address serves this very file: it comes from a mirror folder.
 */
import { type Backbone, IMAGENET } from "../backbone.ts";
import { pinned } from "../download/fetch.ts";

export default {
  params: pinned({
    file: "resnet18-layer3.onnx",
    sha256: "8638251378f75ad7b35e6011b99cb16f3f9e822b469c82b4d3a58811c4bf66f2",
    urls: [],
  }),
  ...IMAGENET,
  size: 128,
  multipleOf: 16,
  features: "layer3_features",
} satisfies Backbone;
