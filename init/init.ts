/** `init FOLDER`: a pipeline for a person's own images, with numbers that fit how many there are. */
import { existsSync, lstatSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { isFolder } from "../runner/files/index.ts";
import { UserError } from "../runner/stage.ts";
import { suggest } from "../runner/text/index.ts";
import { ENDINGS } from "../stages/shared/download/decode.ts";
import { type Entry, list, looseRemark } from "../stages/shared/folder/folder.ts";
import { shown } from "../stages/shared/text.ts";
import { pipelineText, shellWord } from "./pipeline.ts";
import { type Counts, plan, type Study } from "./plan.ts";

export interface InitOptions {
  /** Of the study: its reports and its index; without it, the folder's own. */
  name?: string;
  /** The pipeline file; without it, NAME.pipeline.yaml in the project's folder. */
  out?: string;
  backbone: string;
  bits: number;
}

/** How to sort images into classes, and what needs no classes. */
const layout = (folder: string): string =>
  `Move them into one folder per class: ${join(folder, "CLASS-A/1.jpg")}, ${join(folder, "CLASS-B/2.jpg")}; with published splits, ${join(folder, "train/CLASS-A/1.jpg")} and ${join(folder, "test/CLASS-A/2.jpg")}. A search index needs no classes: npm run index -- ${shellWord(folder)} --backbone mobilenetv2-zoo`;

/** The message about classes whose images are in several folders, as the class "animals" of animals/cats and animals/dogs. */
function mergedRemarks(entries: Entry[]): string[] {
  const folders = new Map<string, Set<string>>();
  for (const { split, class: name, path } of entries) {
    const key = JSON.stringify([split, name]);
    folders.set(key, (folders.get(key) ?? new Set()).add(dirname(path)));
  }
  const merged = [...folders].filter(([, of]) => of.size > 1);
  if (merged.length === 0) return [];
  const [key, of] = merged[0];
  const names = [...of].slice(0, 2).map(shown).join(" and ");
  const more =
    merged.length > 1
      ? `; likewise ${merged
          .slice(1, 4)
          .map(([other]) => JSON.parse(other)[1])
          .join(", ")}`
      : "";
  return [
    `The class ${JSON.parse(key)[1]} takes the images of ${of.size} folders, ${names}${of.size > 2 ? ", …" : ""}${more}. If each of them is a class, move them to the top of the folder.`,
  ];
}

/** The number of images of each class, by split. @throws UserError when there are none */
function countImages(folder: string): { counts: Counts; remarks: string[] } {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats?.isDirectory())
    throw new UserError(`init: ${folder}: ${stats ? "a file" : "no such folder"}. Name a folder of images.`);
  const { entries, loose, remarks } = list(folder);
  if (entries.length === 0 && loose.length > 0)
    throw new UserError(
      `init: ${folder}: ${loose.length === 1 ? "1 image is" : `${loose.length} images are`} directly in the folder, but the class of an image is the folder that it is in. ${layout(folder)}`,
    );
  const all = [...remarks, ...looseRemark(loose), ...mergedRemarks(entries)];
  if (entries.length === 0)
    throw new UserError(
      `init: ${folder}: no images in it. It must hold one folder per class, with ${ENDINGS.join(", ")}.${all.map((remark) => ` ${remark}`).join("")}`,
    );
  const counts: Counts = { train: new Map(), validation: new Map(), test: new Map() };
  for (const { split, class: name } of entries) counts[split].set(name, (counts[split].get(name) ?? 0) + 1);
  return { counts, remarks: all };
}

/** Refuses a name under which something else would be overwritten, or that cannot be one. */
function checkName(name: string, root: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name))
    throw new UserError(
      `init: "${shown(name)}" cannot be a study's name. Give one of letters, digits, - and _ with --name.`,
    );
  for (const folder of [`reports/${name}`, `indexes/${name}`])
    if (existsSync(resolve(root, folder)))
      throw new UserError(`init: ${folder}/ is there already. Give the study another name with --name.`);
}

/** The message when the file is written. */
function told(study: Study, file: string, name: string, remarks: string[]): string[] {
  const { classes, images, queries, validation, train, smallest } = study;
  return [
    `${images} images in ${classes} classes, the smallest ${smallest[0]} with ${smallest[1]}.`,
    `${queries} will query, ${validation} validate, ${train} train; the last two are searched.`,
    ...[...study.remarks, ...remarks].map((remark) => `! ${remark}`),
    `+ ${shown(file)}`,
    "",
    `Run it:      npm run pipeline -- --pipeline ${shellWord(file)}`,
    `Look at it:  reports/${name}/with-images/index.html`,
    `Search it:   npm run search -- IMAGE --index indexes/${name}`,
  ];
}

/** A study's name made of a folder's. */
const nameOf = (folder: string): string =>
  basename(folder)
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^[-_]+|[-_]+$/g, "") || "images";

/**
 * Writes the pipeline file.
 * @param root the project's folder; @param from where the person stood: paths start there
 * @returns the lines to say
 * @throws UserError for a folder, a name or a backbone that cannot be
 */
export function init(given: string, options: InitOptions, root: string, from: string): string[] {
  const folder = resolve(from, given);
  const backbones = readdirSync(resolve(root, "stages/shared/backbones")).map((file) => file.slice(0, -3));
  if (!backbones.includes(options.backbone))
    throw new UserError(
      `init: no backbone "${options.backbone}".${suggest(options.backbone, backbones) || ` There are ${backbones.join(", ")}.`}`,
    );
  const { counts, remarks } = countImages(folder);
  const study = plan(counts, folder);
  const name = options.name ?? nameOf(folder);
  checkName(name, root);
  const out = options.out ? resolve(from, options.out) : resolve(root, `${name}.pipeline.yaml`);
  if (!isFolder(dirname(out)))
    throw new UserError(
      `init: --out ${shown(out)}: no folder ${shown(dirname(out))} can be found. Make it, or name a file in another.`,
    );
  if (lstatSync(out, { throwIfNoEntry: false }))
    throw new UserError(`init: ${out} is there already. Name another file with --out.`);
  const below = relative(root, out);
  const file = below.startsWith("..") ? out : below;
  writeFileSync(out, pipelineText({ ...study, name, folder, file, ...options }), { flag: "wx" });
  return told(study, file, name, remarks);
}

export default { init };
