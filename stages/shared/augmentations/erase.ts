/** A hidden rectangle: random erasing (Zhong et al. 2020) with the mean colour. */
import { UserError } from "../../../runner/stage.ts";
import { defineAugmentation } from "../augmentation.ts";

/** Height over width of the rectangle, relative to the window's. */
const RATIO = [0.3, 1 / 0.3].map(Math.log);

export default defineAugmentation({
  params: {
    chance: { type: "number", minimum: 0, maximum: 1, default: 0.5, description: "share of the views" },
    scale: {
      type: "array",
      items: { type: "number", exclusiveMinimum: 0, maximum: 1 },
      minItems: 2,
      maxItems: 2,
      default: [0.02, 0.2],
      description: "the least and the most share of the area",
    },
  },
  start({ chance, scale: [least, most] }, random) {
    if (least > most)
      throw new UserError(
        `augment: scale of erase goes from the least to the most, not [${least}, ${most}].`,
      );
    const between = (from: number, to: number) => from + (to - from) * random.float();
    return (view) => {
      if (random.float() >= chance) return;
      const area = between(least, most);
      const ratio = Math.exp(between(RATIO[0], RATIO[1]));
      const width = Math.min(1, Math.sqrt(area / ratio));
      const height = Math.min(1, Math.sqrt(area * ratio));
      view.hidden.push({
        left: (1 - width) * random.float(),
        top: (1 - height) * random.float(),
        width,
        height,
      });
    };
  },
});
