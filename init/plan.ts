/** How the images of a folder are shared out, so that every class has its part in everything. */
import { UserError } from "../runner/stage.ts";
import type { Published } from "../stages/shared/folder/folder.ts";
import { sharesOf } from "../stages/split/shares.ts";

/** The sizes of the roles of a split, as params of the stages split and tsne. */
export interface Study {
  classes: number;
  images: number;
  /** Name and images of the class with the fewest to train on. */
  smallest: [string, number];
  /** `official` where the folder holds test images, else `own`. */
  protocol: "official" | "own";
  /** Images of each class that query, and that validate, at most. */
  each: number;
  /** Whether the folder itself says which images validate. */
  validated: boolean;
  /** Queries, validation and training images in all. */
  queries: number;
  validation: number;
  train: number;
  /** Perplexity of the maps; absent where the queries are too few for one. */
  perplexity?: number;
  /** Remarks for the person, one line each. */
  remarks: string[];
}

/** Images of each class, by its name. */
export type Counts = Record<Published, Map<string, number>>;

/** Of a class, the share that queries, and the share that validates. */
const SHARE = 0.2;
/** More of a class would only take longer. */
const MOST = 200;
/** Where queries and validation images are drawn, one of each and a pair to train on. */
const FEWEST = { own: 4, official: 3 };
const PERPLEXITY = 30;
/**
 * Queries that a map needs for each unit of perplexity, and at least: twice the points that the stage tsne asks for,
 * since duplicates and unreadable images are left out.
 */
const POINTS_PER_PERPLEXITY = 6;
const FEWEST_POINTS = 30;
/** Small classes that a line names. */
const NAMED = 3;

const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);
const total = (counts: Map<string, number>) => sum(counts.values());

/** @throws UserError when there is one class, or images to ask or validate of a class that does not train */
function check({ train, validation, test }: Counts, folder: string): void {
  if (train.size < 2)
    throw new UserError(
      `init: ${folder}: ${train.size === 1 ? `one class (${[...train.keys()][0]})` : "no class to train on"}, but two are the least. The folder must hold one folder per class.`,
    );
  for (const [counts, kind] of [
    [test, "test"],
    [validation, "validation"],
  ] as const)
    for (const name of counts.keys())
      if (!train.has(name))
        throw new UserError(`init: ${folder}: the class "${name}" has ${kind} images, but none to train on.`);
}

const tooFew = (folder: string, [name, count]: [string, number], fewest: number) =>
  new UserError(
    `init: ${folder}: the class "${name}" has ${count} image${count === 1 ? "" : "s"}, but ${fewest} are the least. Add some, or take the class out.`,
  );

/** Published test images query; validation images are drawn, the same number of each class, if none are published. */
function official({ train, validation, test }: Counts, folder: string) {
  const smallest = smallestOf(train);
  const validated = validation.size > 0;
  const each = validated ? 0 : Math.min(MOST, Math.max(1, Math.floor(SHARE * smallest[1])));
  if (smallest[1] - each < FEWEST.official - 1)
    throw tooFew(folder, smallest, validated ? FEWEST.official - 1 : FEWEST.official);
  const sizes = [...train.values()].sort((a, b) => a - b);
  const usual = Math.min(MOST, Math.floor(SHARE * sizes[sizes.length >> 1]));
  const remarks =
    !validated && usual > 2 * each
      ? [
          `The smallest class, ${smallest[0]} with ${smallest[1]} images, leaves ${each} of each class to validate: with more of it, or without it, ${usual} would.`,
        ]
      : [];
  const drawn = each * train.size;
  return {
    each,
    queries: total(test),
    validation: validated ? total(validation) : drawn,
    train: total(train) - drawn,
    remarks,
  };
}

/** Queries are drawn, and validation images if none are published: of each class its share. */
function own({ train, validation }: Counts, folder: string) {
  const validated = validation.size > 0;
  const sizes = [...train.values()];
  const each = Math.min(MOST, Math.max(1, Math.floor(SHARE * Math.max(...sizes))));
  const shares = sharesOf(sizes, { queries: each, validation: validated ? 0 : each, share: SHARE });
  const small = [...train.keys()].filter((_, at) => shares[at].query === 0);
  const fewest = validated ? FEWEST.own - 1 : FEWEST.own;
  if (train.size - small.length < 2) throw tooFew(folder, smallestOf(train), fewest);
  const remarks = small.length
    ? [
        `${small.length === 1 ? "1 class has" : `${small.length} classes have`} fewer than ${fewest} images, which are searched, but do not query: ${small.slice(0, NAMED).join(", ")}${small.length > NAMED ? ", …" : ""}.`,
      ]
    : [];
  return {
    each,
    queries: sum(shares.map(({ query }) => query)),
    validation: validated ? total(validation) : sum(shares.map((share) => share.validation)),
    train: sum(shares.map((share) => (share.train > 1 ? share.train : 0))),
    remarks,
  };
}

const smallestOf = (counts: Map<string, number>) =>
  [...counts].reduce((least, one) => (one[1] < least[1] ? one : least));

/**
 * Shares out the images.
 * @throws UserError when there is one class, or classes have too few images
 */
export function plan(counts: Counts, folder: string): Study {
  check(counts, folder);
  const { train, validation, test } = counts;
  const protocol = test.size > 0 ? "official" : "own";
  const shared = (protocol === "official" ? official : own)(counts, folder);
  const perplexity = Math.min(PERPLEXITY, Math.floor(shared.queries / POINTS_PER_PERPLEXITY));
  return {
    classes: train.size,
    images: total(train) + total(validation) + total(test),
    smallest: smallestOf(train),
    protocol,
    validated: validation.size > 0,
    ...shared,
    ...(shared.queries >= FEWEST_POINTS ? { perplexity } : {}),
  };
}
