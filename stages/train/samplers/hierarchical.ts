/**
 * Every combination of categories in turn, then classes, then images.
 *
 * A round holds each combination of C categories in so many batches, in random order: each two categories meet as often as
 * any other two, for any sizes. Within a category the classes are dealt from a shuffled deck, and likewise the
 * images of a class.
 *
 * @equation
 * batch = C categories × P classes × K images, each set of C categories equally often
 * @when Classes are grouped (`sop`, `cifar100`, a `csv` with categories), and small categories should weigh as much as
 * large ones; `category` draws every class about as often instead.
 * @source Cakir, He, Xia, Kulis & Sclaroff 2019, "Deep metric learning to rank", whose batches hold two categories;
 * pytorch-metric-learning's HierarchicalSampler
 */
import { UserError } from "../../../runner/stage.ts";
import { defineSampler } from "../sampler.ts";
import { categoryParams, dealCategories } from "../sampling/categories.ts";
import { deck } from "../sampling/deck.ts";

/** Combinations of categories, at most: they are listed. */
const MOST = 100_000;

/** All sets of `count` of the numbers below `all`. @throws UserError when there are too many to list */
function combinations(all: number, count: number): number[][] {
  let sets = 1;
  for (let i = 0; i < count; i++) sets = (sets * (all - i)) / (i + 1);
  if (sets > MOST)
    throw new UserError(
      `train: there are ${Math.round(sets).toLocaleString("en-US")} ways to take ${count} of ${all} categories, more than ${MOST.toLocaleString("en-US")}. Take fewer of them, or the sampler category.`,
    );
  const from = (first: number, left: number): number[][] =>
    left === 0
      ? [[]]
      : Array.from({ length: all - first - left + 1 }, (_, i) => first + i).flatMap((one) =>
          from(one + 1, left - 1).map((others) => [one, ...others]),
        );
  return from(0, count);
}

export default defineSampler({
  categories: true,
  params: {
    ...categoryParams,
    batches: {
      type: "integer",
      minimum: 1,
      maximum: 100,
      default: 4,
      description: "of each combination of categories, in a round",
    },
  },
  start(labels, params, random, facts) {
    const all = dealCategories(labels, facts!.categories!, params.categories, random);
    const sets = combinations(all.length, params.categories);
    const deal = deck([...Array(sets.length * params.batches).keys()], random);
    return () => {
      const [batch] = deal(1);
      const images = sets[Math.floor(batch / params.batches)].flatMap((category) =>
        all[category].deal(params.classes, params.images),
      );
      return { images: Int32Array.from(images) };
    };
  },
});
