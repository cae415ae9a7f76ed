/** DINOv2 ViT-B/14 (Oquab et al. 2024), 768 features. No label trained it. */
import { defineBackbone, IMAGENET, poolingParam } from "../backbone.ts";
import { unverified } from "../download/fetch.ts";

export default defineBackbone({
  params: {
    ...unverified({
      file: "dinov2-base.onnx",
      urls: ["https://huggingface.co/Xenova/dinov2-base/resolve/main/onnx/model.onnx"],
    }),
    ...poolingParam,
  },
  ...IMAGENET,
  resampling: "bicubic",
  size: 224,
  multipleOf: 14,
  features: "last_hidden_state",
  pooling: "cls",
  described: ({ pooling }) => ({ name: "dinov2-base", pooling }),
});
