/**
 * P classes with K images each (Hermans, Beyer & Leibe 2017). Every image is used: each class deals its images
 * from a shuffled deck to the last one, and shuffles a new deck when it has run out; the classes are dealt alike.
 */
import { UserError } from "../../../runner/stage.ts";
import type { Random } from "../../shared/random.ts";
import type { SamplerDefinition } from "../sampler.ts";

/** Deals items for ever: all of them once, in random order, before any comes again. */
function deck(items: number[], random: Random): () => number {
  let left: number[] = [];
  return () => {
    if (left.length === 0) left = random.shuffle([...items]);
    return left.pop()!;
  };
}

export default {
  params: {
    classes: { type: "integer", minimum: 2, default: 10, description: "P, at most as many as there are" },
    images: { type: "integer", minimum: 2, default: 25, description: "K, of each class" },
  },
  start(labels, params, random) {
    const members = new Map<number, number[]>();
    for (const [image, label] of labels.entries()) {
      if (!members.has(label)) members.set(label, []);
      members.get(label)!.push(image);
    }
    const present = [...members.keys()].sort((a, b) => a - b);
    if (present.length < 2)
      throw new UserError(
        `train: the training images have ${present.length} class. Learning a distance takes at least two.`,
      );
    for (const label of present)
      if (members.get(label)!.length < 2)
        throw new UserError(
          `train: class ${label} has one training image, so it has no positive pair. Add images, or leave the class out.`,
        );
    const decks = new Map(present.map((label) => [label, deck(members.get(label)!, random)]));
    const classes = Math.min(params.classes as number, present.length);
    const nextClass = deck(present, random);
    return () => {
      const chosen = new Set<number>();
      // A deck of classes that ends inside a batch may deal a class twice: it is put back by dealing on.
      while (chosen.size < classes)
        chosen.add(classes === present.length ? present[chosen.size] : nextClass());
      const batch: number[] = [];
      for (const label of chosen) {
        const deal = decks.get(label)!;
        const size = Math.min(params.images as number, members.get(label)!.length);
        for (let i = 0; i < size; i++) batch.push(deal());
      }
      return { images: Int32Array.from(batch) };
    };
  },
} satisfies SamplerDefinition;
