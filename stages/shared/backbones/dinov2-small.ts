/** DINOv2 ViT-S/14 (Oquab et al. 2024), 384 features. No label trained it. */
import { defineBackbone, IMAGENET, poolingParam } from "../backbone.ts";
import { unverified } from "../download/fetch.ts";

export default defineBackbone({
  params: {
    ...unverified({
      file: "dinov2-small.onnx",
      urls: ["https://huggingface.co/Xenova/dinov2-small/resolve/main/onnx/model.onnx"],
    }),
    ...poolingParam,
  },
  ...IMAGENET,
  resampling: "bicubic",
  size: 224,
  multipleOf: 14,
  features: "last_hidden_state",
  pooling: "cls",
  described: ({ pooling }) => ({ name: "dinov2-small", pooling }),
});
