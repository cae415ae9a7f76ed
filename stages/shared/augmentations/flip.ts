/** The mirror image: left and right exchanged. */
import { defineAugmentation } from "../augmentation.ts";

export default defineAugmentation({
  params: {
    chance: {
      type: "number",
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: "share of the mirrored views",
    },
  },
  start:
    ({ chance }, random) =>
    (view) => {
      if (random.float() < chance) view.mirrored = !view.mirrored;
    },
});
