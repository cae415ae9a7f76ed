/** The image moved by whole pixels of its own, the same number at most in each direction; its edge is repeated. */
import { defineAugmentation } from "../augmentation.ts";

export default defineAugmentation({
  params: {
    pixels: { type: "integer", minimum: 0, default: 4, description: "of the image as it is stored, at most" },
  },
  start: ({ pixels }, random) => {
    const move = () => random.int(2 * pixels + 1) - pixels;
    return (view) => {
      view.left += move();
      view.top += move();
    };
  },
});
