/** A person's own folder of images: which of its files are images, of which class, published for what. */
import { extname } from "node:path";
import { ENDINGS } from "../download/decode.ts";
import { shown } from "../text.ts";
import { sorted, walk } from "./walk.ts";

/** The purpose for which a data set publishes an image. */
export type Published = "train" | "validation" | "test";

export interface Entry {
  /** From the folder. */
  path: string;
  split: Published;
  /** "" for an image in no class folder. */
  class: string;
}

export interface Listing {
  /** By split, class and path. */
  entries: Entry[];
  /** Images beside the class folders, which have no class. */
  loose: string[];
  /** Files that are no images by their ending. */
  others: string[];
  /** Remarks on the folder for the person, one line each. */
  remarks: string[];
}

const SPLITS: Record<Published, string[]> = {
  train: ["train", "training"],
  validation: ["val", "valid", "validation"],
  test: ["test", "testing"],
};
/** Endings of photographs that many cameras make and this build of sharp does not decode. */
const HEIC = [".heic", ".heif", ".hif"];
/** How many of a kind a line names. */
const NAMED = 3;

const splitOf = (folder: string): Published | undefined =>
  (Object.keys(SPLITS) as Published[]).find((split) => SPLITS[split].includes(folder.toLowerCase()));

const some = (all: string[]): string =>
  all.slice(0, NAMED).map(shown).join(", ") + (all.length > NAMED ? ", …" : "");
const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** The folders of a path, without the file. */
const foldersOf = (path: string): string[] => path.split("/").slice(0, -1);

/**
 * Whether the folders at the top are the published splits: all that hold images have such a name, and the training
 * images are in folders of their own.
 */
function isPublished(tops: string[], images: string[]): boolean {
  return (
    tops.length > 0 &&
    tops.every((top) => splitOf(top)) &&
    images.some((path) => foldersOf(path).length > 1 && splitOf(foldersOf(path)[0]) === "train")
  );
}

/** `10 .heic, 1 .txt` */
function byEnding(files: string[]): string {
  const counts = new Map<string, number>();
  for (const file of files) {
    const ending = shown(extname(file).toLowerCase()) || "without an ending";
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([ending, files]) => `${files} ${ending}`)
    .join(", ");
}

/** The message about files that are no images by their ending. */
function othersRemark(others: string[]): string[] {
  if (others.length === 0) return [];
  const heic = others.some((file) => HEIC.includes(extname(file).toLowerCase()));
  const hint = heic ? " HEIC cannot be decoded here: convert it to JPEG (heif-convert IN.heic OUT.jpg)." : "";
  return [
    `${count(others.length, "file is no image", "files are no images")} by the ending: ${byEnding(others)}.${hint}`,
  ];
}

/**
 * Lists a folder: one folder a class; or `train`, `val` and `test`, each with one folder a class. A class takes the
 * images of all folders below its own. The same rule holds for `init`, the data set `folder`, and `npm run index`.
 * @param isExcluded whether a file (or a folder, with "/" at its end) is passed over without a word, by its path
 */
export function list(root: string, isExcluded: (path: string) => boolean = () => false): Listing {
  const found = walk(root);
  const files = found.files.filter((path) => !isExcluded(path));
  const folders = found.folders.filter((path) => !isExcluded(`${path}/`));
  const { problems } = found;
  const isImage = (path: string) => ENDINGS.includes(extname(path).toLowerCase());
  const images = files.filter(isImage);
  const others = files.filter((path) => !isImage(path));
  const tops = [...new Set(images.map((path) => foldersOf(path)[0]).filter(Boolean))];
  const published = isPublished(tops, images);
  const depth = published ? 1 : 0;

  const loose = images.filter((path) => foldersOf(path).length <= depth);
  const taken = images.filter((path) => foldersOf(path).length > depth);
  const classOf = (path: string) => shown(foldersOf(path)[depth].normalize("NFC"));
  const entries = (Object.keys(SPLITS) as Published[]).flatMap((split) =>
    byClass(
      taken
        .filter((path) => !published || splitOf(foldersOf(path)[0]) === split)
        .filter(() => published || split === "train")
        .map((path) => ({ path, split, class: classOf(path) })),
    ),
  );
  const holding = new Set(
    taken.map((path) =>
      foldersOf(path)
        .slice(0, depth + 1)
        .join("/"),
    ),
  );
  const empty = folders.filter(
    (folder) =>
      folder.split("/").length === depth + 1 &&
      !holding.has(folder) &&
      (!published || splitOf(folder.split("/")[0])),
  );
  const splits = tops.filter(splitOf);
  const remarks = [
    ...othersRemark(others),
    ...(empty.length
      ? [
          `${count(empty.length, "folder holds no image and is no class", "folders hold no image and are no classes")}: ${some(empty)}.`,
        ]
      : []),
    ...(!published && splits.length > 1
      ? [
          `${splits.join(" and ")} are taken for classes, since ${tops.length > splits.length ? `there are others beside them (${some(tops.filter((top) => !splitOf(top)))})` : "they hold no class folders"}.`,
        ]
      : []),
    ...(problems.length
      ? [`${count(problems.length, "entry is", "entries are")} passed over: ${some(problems)}.`]
      : []),
  ];
  return { entries, loose, others, remarks };
}

/** By class, within a class in their order. */
function byClass(entries: Entry[]): Entry[] {
  const classes = sorted([...new Set(entries.map((entry) => entry.class))]);
  const place = new Map(classes.map((name, at) => [name, at]));
  return entries.sort((a, b) => place.get(a.class)! - place.get(b.class)!);
}

/** The message about images without a class, where classes are needed. */
export function looseRemark(loose: string[]): string[] {
  if (loose.length === 0) return [];
  return [
    `${count(loose.length, "image is", "images are")} beside the class folders and ${loose.length === 1 ? "has" : "have"} no class: ${some(loose)}.`,
  ];
}
