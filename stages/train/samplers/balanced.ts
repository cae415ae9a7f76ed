/**
 * P classes with K images each.
 *
 * Every image is used: each class deals its images from a shuffled deck to the last one, and then shuffles a new deck;
 * the classes are dealt in the same way. An image with several labels is in the class of the lowest, so that no batch holds
 * it twice; which images of the batch are similar goes by all labels.
 *
 * @equation
 * batch = P classes × K images
 * @when The loss compares images of a batch: each image then has positives and negatives. It is the default.
 * @source Hermans, Beyer & Leibe 2017, "In defense of the triplet loss for person re-identification", section 2
 */

import { defineSampler } from "../sampler.ts";
import { imagesByClass, requirePairs } from "../sampling/classes.ts";
import { deck } from "../sampling/deck.ts";

export default defineSampler({
  several: true,
  params: {
    classes: { type: "integer", minimum: 2, default: 10, description: "P, at most as many as there are" },
    images: { type: "integer", minimum: 2, default: 25, description: "K, of each class" },
  },
  start(labels, params, random, facts) {
    const members = facts?.several ? imagesByClass(labels) : requirePairs(labels);
    const decks = new Map([...members].map(([label, images]) => [label, deck(images, random)]));
    const classes = Math.min(params.classes, members.size);
    const dealClasses = deck([...members.keys()], random);
    return () => {
      const batch = dealClasses(classes).flatMap((label) =>
        decks.get(label)!(Math.min(params.images, members.get(label)!.length)),
      );
      return { images: Int32Array.from(batch) };
    };
  },
});
