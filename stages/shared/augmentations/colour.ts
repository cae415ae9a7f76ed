/** Brightness, contrast and saturation, each times a factor around 1, as ColorJitter of torchvision changes them. */
import { defineAugmentation } from "../augmentation.ts";

const most = { type: "number", minimum: 0, maximum: 1, default: 0.4 } as const;

export default defineAugmentation({
  params: {
    brightness: { ...most, description: "the factor's largest distance from 1" },
    contrast: { ...most, description: "likewise" },
    saturation: { ...most, description: "likewise; grey images have none" },
  },
  start({ brightness, contrast, saturation }, random) {
    const factor = (most: number) => 1 + most * (2 * random.float() - 1);
    return (view) => {
      view.brightness *= factor(brightness);
      view.contrast *= factor(contrast);
      view.saturation *= factor(saturation);
    };
  },
});
