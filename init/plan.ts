/** How the images of a folder are shared out, so that every class has its part in everything. */
import { UserError } from "../runner/stage.ts";

/** Who does what, in numbers that the stages split and tsne take. */
export interface Study {
  classes: number;
  images: number;
  /** Name and images of the class with the fewest to train on. */
  smallest: [string, number];
  /** `official` where the folder holds test images, else `own`. */
  protocol: "official" | "own";
  /** Queries, validation and training images in all. */
  queries: number;
  validation: number;
  train: number;
  /** Perplexity of the maps; absent where the queries are too few for one. */
  perplexity?: number;
}

/** Of the smallest class, the share that queries, and the share that validates. */
const SHARE = 0.2;
/** More of a class would only take longer. */
const MOST = 200;
/** A training needs pairs. */
const FEWEST_TO_TRAIN = 2;
const PERPLEXITY = 30;
/** Points that a map needs for each unit of perplexity, and at least: a map of fewer says nothing. */
const POINTS_PER_PERPLEXITY = 3;
const FEWEST_POINTS = 15;

const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);

/**
 * Shares out the images.
 * @param counts images of each class, by name
 * @throws UserError when there is one class, or a class has too few images
 */
export function plan(
  { train, test }: { train: Map<string, number>; test: Map<string, number> },
  folder: string,
): Study {
  const classes = train.size;
  if (classes < 2)
    throw new UserError(
      `init: ${folder}: ${classes === 1 ? `one class (${[...train.keys()][0]})` : "no class to train on"}, but two are the least. There must be one folder a class.`,
    );
  for (const name of test.keys())
    if (!train.has(name))
      throw new UserError(`init: ${folder}: the class "${name}" has test images, but none to train on.`);
  const smallest = [...train].reduce((least, one) => (one[1] < least[1] ? one : least));
  const published = test.size > 0;
  const each = Math.min(MOST, Math.max(1, Math.floor(SHARE * smallest[1])));
  const drawn = published ? each : 2 * each;
  if (smallest[1] - drawn < FEWEST_TO_TRAIN)
    throw new UserError(
      `init: ${folder}: the class "${smallest[0]}" has ${smallest[1]} image${smallest[1] === 1 ? "" : "s"}, but ${drawn + FEWEST_TO_TRAIN} are the least. Add some, or take the class out.`,
    );
  const queries = published ? total(test) : each * classes;
  const perplexity = Math.min(PERPLEXITY, Math.floor(queries / POINTS_PER_PERPLEXITY));
  return {
    classes,
    images: total(train) + total(test),
    smallest,
    protocol: published ? "official" : "own",
    queries,
    validation: each * classes,
    train: total(train) - drawn * classes,
    ...(queries >= FEWEST_POINTS ? { perplexity } : {}),
  };
}
