/** A window somewhere in the image, as RandomResizedCrop of torchvision (Szegedy et al. 2015) draws it. */
import { UserError } from "../../../runner/stage.ts";
import { defineAugmentation } from "../augmentation.ts";

const range = (limits: object) =>
  ({
    type: "array",
    items: { type: "number", exclusiveMinimum: 0, ...limits },
    minItems: 2,
    maxItems: 2,
  }) as const;

export default defineAugmentation({
  params: {
    scale: {
      ...range({ maximum: 1 }),
      default: [0.6, 1],
      description: "the least and the most share of the area",
    },
    ratio: {
      ...range({}),
      default: [0.75, 1.3333],
      description: "the least and the most width over height, relative to the image's own",
    },
  },
  start({ scale, ratio }, random) {
    for (const [name, [least, most]] of Object.entries({ scale, ratio }))
      if (least > most)
        throw new UserError(
          `augment: ${name} of crop goes from the least to the most, not [${least}, ${most}].`,
        );
    const between = ([least, most]: number[]) => least + (most - least) * random.float();
    return (view) => {
      const area = between(scale);
      const aspect = Math.exp(between(ratio.map(Math.log)));
      const width = view.width * Math.min(1, Math.sqrt(area * aspect));
      const height = view.height * Math.min(1, Math.sqrt(area / aspect));
      view.left += (view.width - width) * random.float();
      view.top += (view.height - height) * random.float();
      view.width = width;
      view.height = height;
    };
  },
});
