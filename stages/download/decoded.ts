/** Images in files of their own, under one folder: from the list of them to their pixels. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { decode, type Fit } from "../shared/download/decode.ts";
import { shown } from "../shared/text.ts";
import type { DatasetContext, DatasetInfo, ImageRow, Role } from "./dataset.ts";

/** Images decoded at a time. */
const AT_ONCE = 8;
/** How many missing or unreadable files a warning names; the log names all. */
const NAMED = 3;

/** Params of every data set that consists of image files. */
export const fileParams = {
  size: { type: "integer", minimum: 1, default: 224, description: "side in pixels that images get" },
  fit: {
    enum: ["cover", "contain", "fill"],
    default: "cover",
    description: "cover: cut to a square; contain: white bars; fill: stretched",
  },
  strict: { type: "boolean", default: false, description: "a missing or unreadable image ends the run" },
} as const;

/** The param of a list whose images may have several labels, and the words on it. */
export const severalParam = {
  type: "boolean",
  description:
    "whether images may have several labels: if so, the plan refuses parts that take one label an image; if not, an image with more is refused",
} as const;

/** @throws UserError for the first image with several labels, where the data set declares that there is none */
export function checkDeclared(
  images: { path: string; labels: number[]; where: string }[],
  several?: boolean,
): void {
  const found = several === false && images.find(({ labels }) => labels.length > 1);
  if (found)
    throw new UserError(
      `${found.where}: ${shown(found.path)} has ${found.labels.length} labels, but the data set declares several: false. Set several to true, or give the image one label.`,
    );
}

/** {@link fileParams} as a data set gets them. */
export interface FileParams {
  size: number;
  fit: Fit;
  strict: boolean;
}

/** One image of the list. */
export interface ListedImage {
  /** From the root folder. */
  path: string;
  split: Role;
  /** Ascending, at least one. */
  labels: number[];
}

/** The images to decode. */
export interface Listed {
  root: string;
  images: ListedImage[];
  classes: string[];
  /** Of each class the name of its category. */
  categories?: string[];
  /** Why the classes have none, where a list names some. */
  no_categories?: string;
  /** Whether an image may have several labels. */
  several?: boolean;
  /** sha256 of each list that names them, by the file's name. */
  lists?: Record<string, string>;
}

/** The shape that the images of such a data set get. */
const shapeOf = ({ size, fit }: FileParams) => ({ height: size, width: size, channels: 3, fit });

/** Collects the images that cannot be used: with `strict`, the first ends the run. */
function createAbsent(
  root: string,
  kind: "missing" | "unreadable",
  strict: boolean,
  { log, note, warn }: DatasetContext,
) {
  const told: string[] = [];
  return {
    add(path: string, reason?: string): void {
      const line = shown(reason === undefined ? path : `${path} (${reason})`);
      if (strict)
        throw new UserError(
          `${root}: ${kind} image ${line}. ${kind === "missing" ? "Add it" : "Take it out"}, or set strict to false to leave such images out.`,
        );
      log(`${kind}: ${line}`);
      told.push(line);
    },
    /** Notes how many there are, and warns of them in one line. */
    report(all: number): void {
      note(`${kind}_files`, told.length);
      if (told.length === 0) return;
      const more = told.length > NAMED ? ", … (the log names all)" : "";
      warn(
        `${told.length} of ${all} images are ${kind} and left out: ${told.slice(0, NAMED).join(", ")}${more}.`,
      );
    },
  };
}

/**
 * Decodes the images in their order: an image's id is its place in the list of all, readable or not.
 * @throws UserError with `strict`, at the first image that is missing or unreadable
 */
async function* decoded(
  { root, images, classes, several }: Listed,
  params: FileParams,
  context: DatasetContext,
): AsyncGenerator<ImageRow> {
  const missing = createAbsent(root, "missing", params.strict, context);
  const unreadable = createAbsent(root, "unreadable", params.strict, context);
  const shape = shapeOf(params);
  const readable = new Set<number>();
  for (let first = 0; first < images.length; first += AT_ONCE) {
    context.signal.throwIfAborted();
    const group = images.slice(first, first + AT_ONCE);
    const results = await Promise.allSettled(group.map(({ path }) => decode(join(root, path), shape)));
    for (const [index, result] of results.entries()) {
      const { path, split, labels } = group[index];
      if (result.status === "fulfilled") {
        for (const label of labels) readable.add(label);
        const row = { id: first + index, split, label: labels[0], pixels: result.value };
        yield several ? { ...row, labels } : row;
      } else if (existsSync(join(root, path))) unreadable.add(path, result.reason.message);
      else missing.add(path);
    }
  }
  missing.report(images.length);
  unreadable.report(images.length);
  const listed = new Set(images.flatMap(({ labels }) => labels));
  const lost = classes.filter((_, label) => listed.has(label) && !readable.has(label));
  if (lost.length && readable.size)
    context.warn(
      `not one image could be read of ${lost.length === 1 ? "the class" : "the classes"} ${lost.join(", ")}.`,
    );
}

/** A data set of such images, as the stage takes it. */
export function openListed(
  dataset: string,
  listed: Listed,
  params: FileParams,
  context: DatasetContext,
): { info: DatasetInfo; rows: AsyncIterable<ImageRow> } {
  const { images, classes, categories, no_categories, several, lists } = listed;
  return {
    info: {
      dataset,
      ...shapeOf(params),
      classes,
      ...(categories && { categories }),
      ...(no_categories && { no_categories }),
      ...(several && { several }),
      ...(lists && { lists }),
      names: images.map(({ path }) => path),
      images: images.length,
    },
    rows: decoded(listed, params, context),
  };
}
