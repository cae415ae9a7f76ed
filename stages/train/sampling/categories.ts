/** Drawing the images of a category: classes, then images of each. */
import { UserError } from "../../../runner/stage.ts";
import type { Random } from "../../shared/compute/random.ts";
import { requirePairs } from "./classes.ts";
import { deck } from "./deck.ts";

/** Params of the samplers by category. */
export const categoryParams = {
  categories: { type: "integer", minimum: 1, default: 2, description: "of a batch" },
  classes: {
    type: "integer",
    minimum: 1,
    default: 8,
    description: "of each category, at most as many as it has",
  },
  images: {
    type: "integer",
    minimum: 2,
    default: 4,
    description: "of each class, at most as many as it has",
  },
} as const;

/** One category. */
export interface Category {
  /** How many classes it has. */
  classes: number;
  /** Deals so many classes with so many images each: every class before any again, likewise its images. */
  deal(classes: number, images: number): number[];
}

/**
 * The categories that have images, ascending.
 * @param categories `[images]`
 * @throws UserError when a batch would ask for more categories than there are, or have one class, or as `requirePairs` does
 */
export function dealCategories(
  labels: Uint16Array,
  categories: Uint16Array,
  wanted: number,
  random: Random,
): Category[] {
  const members = requirePairs(labels);
  const classes = new Map<number, number[]>();
  for (const [label, [image]] of members) {
    const category = categories[image];
    classes.set(category, [...(classes.get(category) ?? []), label]);
  }
  if (classes.size < wanted)
    throw new UserError(
      `train: a batch takes ${wanted} categories, but the images to draw from have ${classes.size}. Take sampler.categories: ${classes.size} or fewer.`,
    );
  const alone = [...classes.values()].find((own) => own.length === 1);
  if (wanted === 1 && alone)
    throw new UserError(
      `train: a batch takes one category, but that of class ${alone[0]} has no other class to draw from, so that its batches would have nothing to tell apart. Take sampler.categories: 2 or more.`,
    );
  const decks = new Map([...members].map(([label, images]) => [label, deck(images, random)]));
  return [...classes]
    .sort(([a], [b]) => a - b)
    .map(([, own]) => {
      const dealClasses = deck(own, random);
      const deal = (count: number, images: number) =>
        dealClasses(Math.min(count, own.length)).flatMap((label) =>
          decks.get(label)!(Math.min(images, members.get(label)!.length)),
        );
      return { classes: own.length, deal };
    });
}
