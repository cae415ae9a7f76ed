/** The interface of the files of protocols/: parts of the stage `split`. */
import {
  type ParamSchemas,
  type ParamsOf,
  type PartDefinition,
  UserError,
  type WithSchemas,
} from "../../runner/stage.ts";
import type { Roles } from "../shared/artifacts/split.ts";
import type { Random } from "../shared/compute/random.ts";

/** The images to be split. */
export interface Images {
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  /** 1 where the data set publishes the image as a test image. */
  test: Uint8Array;
  /** 1 where the data set publishes the image as a validation image; absent where it publishes none. */
  validation?: Uint8Array;
  /** 1 where the data set publishes the image for queries to search; absent where the protocol decides. */
  searched?: Uint8Array;
  /** 1 where the image is published for that alone, and does not train. */
  onlySearched?: Uint8Array;
  classes: string[];
}

/**
 * A protocol of retrieval: which images train, validate, query, and are searched.
 * @typeParam P the params that it declares
 */
export interface Protocol<P = Record<string, unknown>> extends PartDefinition {
  /** Whether images may have several labels: the protocol does not keep classes apart. */
  several?: boolean;
  /** Whether it takes the images that the data set publishes to be searched. */
  searched?: boolean;
  draw(images: Images, validation: number, random: Random, params: P, warn: (line: string) => void): Roles;
}

/** Declares a protocol; the params of `draw` have the types that its JSON Schemas accept. */
export function defineProtocol<const S extends ParamSchemas>(
  protocol: WithSchemas<Protocol<ParamsOf<S>>, S>,
): Protocol<ParamsOf<S>> {
  return protocol;
}

/** No image has any role yet. */
export function noRoles(images: number): Roles {
  const none = () => new Uint8Array(images);
  return { train: none(), validation: none(), query: none(), database: none() };
}

/**
 * Draws the same number of images from each class that has any; where images have several labels, from all at random.
 * @param eligible whether an image may be drawn
 * @param count images in all; a multiple of the number of classes
 * @returns the rows drawn, by class, and the rows left
 * @throws UserError when a class has too few, or the count cannot be shared out
 */
export function drawByClass(
  images: Images,
  eligible: (row: number) => boolean,
  count: number,
  random: Random,
  what: string,
): { drawn: number[]; left: number[] } {
  if (images.sets) return drawFromAll(images, eligible, count, random, what);
  const rows: number[][] = images.classes.map(() => []);
  for (let row = 0; row < images.labels.length; row++) if (eligible(row)) rows[images.labels[row]].push(row);
  const present = rows.filter((list) => list.length).length;
  if (present === 0) throw new UserError(`split: there are no images to draw ${count} for ${what} from.`);
  const each = count / present;
  if (!Number.isInteger(each))
    throw new UserError(
      `split: ${count} ${what} images cannot be shared out equally among ${present} classes.`,
    );
  const drawn: number[] = [];
  const left: number[] = [];
  for (const [label, list] of rows.entries()) {
    if (list.length === 0) continue;
    if (list.length <= each)
      throw new UserError(
        `split: class "${images.classes[label]}" has ${list.length} image${list.length === 1 ? "" : "s"}, but ${each} are wanted for ${what} and some must be left. Take fewer, or leave the class out.`,
      );
    random.shuffle(list);
    for (const [index, row] of list.entries()) (index < each ? drawn : left).push(row);
  }
  return { drawn, left };
}

/** As {@link drawByClass}, without regard to labels. */
function drawFromAll(
  { labels }: Pick<Images, "labels">,
  eligible: (row: number) => boolean,
  count: number,
  random: Random,
  what: string,
): { drawn: number[]; left: number[] } {
  const rows = [...labels.keys()].filter(eligible);
  if (count >= rows.length)
    throw new UserError(
      `split: there are ${rows.length} images to draw ${count} for ${what} from, and some must be left. Take fewer.`,
    );
  random.shuffle(rows);
  return { drawn: rows.slice(0, count), left: rows.slice(count) };
}

/**
 * Draws from each class, as many as `countOf` says of it; an image with several labels counts for the lowest of them.
 * @param eligible whether an image may be drawn
 * @returns the rows drawn, by class, and the rows left
 */
export function drawFromEach(
  images: Images,
  eligible: (row: number) => boolean,
  countOf: (label: number) => number,
  random: Random,
): { drawn: number[]; left: number[] } {
  const rows: number[][] = images.classes.map(() => []);
  for (let row = 0; row < images.labels.length; row++) if (eligible(row)) rows[images.labels[row]].push(row);
  const drawn: number[] = [];
  const left: number[] = [];
  for (const [label, list] of rows.entries()) {
    random.shuffle(list);
    const count = Math.min(countOf(label), list.length);
    drawn.push(...list.slice(0, count));
    left.push(...list.slice(count));
  }
  return { drawn, left };
}
