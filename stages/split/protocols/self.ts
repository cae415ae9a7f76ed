/**
 * self: the published test images retrieve each other, each left out of its own database; their classes do not train
 * (CUB-200-2011, Cars-196, Stanford Online Products). Validation is by classes too: those of the published training
 * images that are drawn validate with all their images, until so many validate. They search each other as well.
 */
import { UserError } from "../../../runner/stage.ts";
import { defineProtocol, noRoles } from "../protocol.ts";

/** Classes that must be left to train on, and to validate: a distance is learned and measured between classes. */
const FEWEST = 2;

export default defineProtocol({
  draw({ labels, test, classes, validation: published }, validation, random) {
    const roles = noRoles(labels.length);
    const sizes = classes.map(() => 0);
    for (const [row, label] of labels.entries()) if (!test[row] && !published?.[row]) sizes[label]++;
    const both = [...labels.keys()].find((row) => test[row] && sizes[labels[row]] > 0);
    if (both !== undefined)
      throw new UserError(
        `split: class "${classes[labels[both]]}" has test images and others. The protocol self asks about classes that do not train: take official, or unseen.`,
      );
    const drawn = new Set<number>();
    if (!published) {
      const present = random.shuffle([...sizes.keys()].filter((label) => sizes[label] > 0));
      for (let images = 0; images < validation || drawn.size < FEWEST; ) {
        if (present.length - drawn.size <= FEWEST)
          throw new UserError(
            `split: ${present.length} classes train, but ${validation} of their images are wanted for validation, whole classes of them, and ${FEWEST} classes must be left. Take fewer.`,
          );
        const label = present[drawn.size];
        drawn.add(label);
        images += sizes[label];
      }
    }
    for (const [row, label] of labels.entries()) {
      if (test[row]) roles.query[row] = roles.database[row] = 1;
      else roles[published?.[row] || drawn.has(label) ? "validation" : "train"][row] = 1;
    }
    return roles;
  },
});
