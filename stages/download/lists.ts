/** Text files that list the images of a data set: found, read line by line, and checked. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { shown } from "../shared/text.ts";
import type { ListedImage } from "./decoded.ts";

/**
 * The folder that holds a data set as its makers pack it: the input `files` itself, or the folder of the archive in it.
 * @param marker a file that only this data set has
 * @throws UserError when neither holds the marker
 */
export function rootOf(dataset: string, files: string | undefined, marker: string, folder: string): string {
  if (!files)
    throw new UserError(
      `download: the data set ${dataset} needs its folder: inputs: { files: ./${folder} }, with ${marker} in it.`,
    );
  for (const root of [files, join(files, folder)]) if (existsSync(join(root, marker))) return root;
  throw new UserError(
    `${files}: no ${marker}. Unpack the data set there as its makers publish it, and name the folder that holds ${marker}.`,
  );
}

/** One line of a list. */
export interface Line {
  text: string;
  /** `FILE:NUMBER`, for messages. */
  where: string;
}

/**
 * The lines of a list that hold anything.
 * @returns also the list's sha256
 * @throws UserError when it is missing, no UTF-8, or empty
 */
export function readLines(root: string, name: string): { lines: Line[]; sha256: string } {
  const path = join(root, name);
  if (!existsSync(path)) throw new UserError(`${path}: no such list. Add it, or name another.`);
  const bytes = readFileSync(path);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${path}: is no UTF-8 text.`);
  }
  const lines = text
    .split(/\r?\n/)
    .map((line, at) => ({ text: line.trim(), where: `${path}:${at + 1}` }))
    .filter((line) => line.text !== "");
  if (lines.length === 0) throw new UserError(`${path}: lists nothing.`);
  return { lines, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/**
 * A path in a list, from the root folder, with "/".
 * @throws UserError when it is absolute or leads out of the folder
 */
export function pathOf(text: string, where: string): string {
  const path = posix.normalize(text.replaceAll("\\", "/"));
  if (posix.isAbsolute(path) || /^[a-z]:\//i.test(path) || path === ".." || path.startsWith("../"))
    throw new UserError(
      `${where}: ${shown(text)} is outside the folder. Paths start from the folder itself.`,
    );
  return path;
}

/**
 * A whole number of a list.
 * @throws UserError when it is none, or below 1
 */
export function idOf(text: string, what: string, where: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UserError(`${where}: "${shown(text)}" is no ${what}: a whole number from 1 was expected.`);
  return Number(text);
}

/**
 * Splits a line into exactly so many fields at white space; the last field takes the rest.
 * @throws UserError when there are fewer
 */
export function fieldsOf({ text, where }: Line, names: string[]): string[] {
  const fields = text.split(/\s+/);
  if (fields.length < names.length)
    throw new UserError(`${where}: "${names.join(" ")}" was expected, but there is "${shown(text)}".`);
  return [
    ...fields.slice(0, names.length - 1),
    text.replace(new RegExp(`^(?:\\S+\\s+){${names.length - 1}}`), ""),
  ];
}

/**
 * Checks that no image is listed twice.
 * @throws UserError naming both places
 */
export function checkOnce(images: { path: string; where: string }[]): void {
  const seen = new Map<string, string>();
  for (const { path, where } of images) {
    const first = seen.get(path);
    if (first) throw new UserError(`${where}: ${shown(path)} is listed already (${first}). List it once.`);
    seen.set(path, where);
  }
}

/** How many images of each published part a data set has; `test` are those that query. */
export type Counts = Record<string, number>;

/** One line where a folder holds other numbers of images than its makers published; undefined where it holds them. */
export function countsRemark(dataset: string, images: ListedImage[], published: Counts): string | undefined {
  const found: Counts = {};
  for (const { split } of images) found[split] = (found[split] ?? 0) + 1;
  const parts = Object.entries(published);
  if (parts.every(([part, count]) => found[part] === count)) return undefined;
  const told = parts.map(
    ([part, count]) =>
      `${(found[part] ?? 0).toLocaleString("en-US")} of ${count.toLocaleString("en-US")} ${part}`,
  );
  return `${dataset}: the lists name other images than the makers publish: ${told.join(", ")} images. Results are not comparable with published ones.`;
}

/** An image of a list that names its category. */
export interface Categorised {
  path: string;
  labels: number[];
  category: string;
  where: string;
}

/** The category of each class, as its images have it; or why not each class has one, in words. */
export function categoriesOfClasses(
  images: Categorised[],
  classes: string[],
): { categories: string[] } | { no_categories: string } {
  const first = new Map<number, Categorised>();
  for (const image of images) {
    const no = (why: string) => ({ no_categories: `${image.where}: ${why}` });
    if (image.labels.length > 1) return no(`${shown(image.path)} has several labels and a category`);
    if (image.category === "") return no(`${shown(image.path)} has no category`);
    const [label] = image.labels;
    const other = first.get(label);
    if (!other) first.set(label, image);
    else if (other.category !== image.category)
      return no(
        `the class "${classes[label]}" is in the category "${shown(image.category)}", but in "${shown(other.category)}" at ${other.where}`,
      );
  }
  return { categories: classes.map((_, label) => shown(first.get(label)!.category)) };
}
