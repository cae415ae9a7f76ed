/**
 * Any data set whose images are listed as HashNet (Cao et al. 2017) and the repositories after it publish theirs
 * (NUS-WIDE, MS-COCO, ImageNet-100, MIRFLICKR, VOC2012): `train.txt`, `test.txt` and `database.txt`, a line an image,
 * its path and a 0 or 1 for each label: `images/1.jpg 0 1 0`. Images may have several labels.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import { shown } from "../../shared/text.ts";
import { defineDataset, type Role } from "../dataset.ts";
import { checkDeclared, fileParams, type ListedImage, openListed, severalParam } from "../decoded.ts";
import { checkOnce, type Line, pathOf, readLines } from "../lists.ts";

type Image = ListedImage & { where: string };

/** One line: everything before the zeros and ones is the path, which may hold spaces. */
function imageOf({ text, where }: Line, split: Role): Image & { width: number } {
  const [, path, flags] = /^(.*?)((?:\s+-?\d+)+)$/.exec(text) ?? [];
  if (!path)
    throw new UserError(`${where}: "${shown(text)}" is no path with a 0 or 1 for each label after it.`);
  const values = flags.trim().split(/\s+/);
  const wrong = values.find((value) => value !== "0" && value !== "1");
  if (wrong !== undefined)
    throw new UserError(`${where}: "${wrong}" is no label: a 0 or 1 for each label was expected.`);
  const labels = values.flatMap((value, label) => (value === "1" ? [label] : []));
  if (labels.length === 0)
    throw new UserError(`${where}: ${shown(path)} has no label. Leave it out of the list, or give it one.`);
  return { path: pathOf(path, where), split, labels, where, width: values.length };
}

/**
 * Joins the three lists: an image that trains may be searched, too, and then is one image.
 * @throws UserError when an image is listed twice, queries and has another role, or has other labels elsewhere
 */
function joined(train: Image[], test: Image[], database: Image[]): Image[] {
  for (const list of [train, test, database]) checkOnce(list);
  const all = new Map(train.map((image) => [image.path, image]));
  for (const image of database) {
    const other = all.get(image.path);
    if (other && other.labels.join() !== image.labels.join())
      throw new UserError(
        `${image.where}: ${shown(image.path)} has other labels than in ${other.where}. Give it the same in both.`,
      );
    all.set(image.path, { ...image, split: other ? "train+database" : "database" });
  }
  for (const image of test) {
    const other = all.get(image.path);
    if (other)
      throw new UserError(
        `${image.where}: ${shown(image.path)} queries, but ${other.where} lists it, too. Queries must be apart: take it out of one of the lists.`,
      );
    all.set(image.path, image);
  }
  return [...all.values()];
}

export default defineDataset({
  searched: true,
  params: {
    train: {
      type: "string",
      minLength: 1,
      default: "train.txt",
      description: "list of the images that train",
    },
    test: { type: "string", minLength: 1, default: "test.txt", description: "list of the images that query" },
    database: {
      type: "string",
      minLength: 1,
      default: "database.txt",
      description: "list of the images that queries search",
    },
    names: {
      type: "string",
      minLength: 1,
      default: "labels.txt",
      description: "file with the labels' names, a line each; without it they are label 1, label 2, …",
    },
    several: { ...severalParam, default: true },
    ...fileParams,
  },
  async open(params, context) {
    const root = context.files;
    if (!root)
      throw new UserError(
        `download: the data set lists needs its folder: inputs: { files: ./MY/DATA }, with ${params.train}, ${params.test}, ${params.database} and the images in it.`,
      );
    const lists: Record<string, string> = {};
    const read = (name: string, split: Role) => {
      const { lines, sha256 } = readLines(root, name);
      lists[name] = sha256;
      return lines.map((line) => imageOf(line, split));
    };
    const parts = [read(params.train, "train"), read(params.test, "test"), read(params.database, "database")];
    const width = parts[0][0].width;
    const other = parts.flat().find((image) => image.width !== width);
    if (other)
      throw new UserError(
        `${other.where}: there are ${other.width} labels, but ${parts[0][0].where} has ${width}. All lines need the same number.`,
      );
    const named = existsSync(join(root, params.names)) ? readLines(root, params.names).lines : undefined;
    if (named && named.length !== width)
      throw new UserError(
        `${join(root, params.names)}: names ${named.length} labels, but the lists have ${width}.`,
      );
    checkDeclared(parts.flat(), params.several);
    const images = joined(parts[0], parts[1], parts[2]);
    const several = images.some(({ labels }) => labels.length > 1);
    const classes =
      named?.map(({ text }) => shown(text)) ?? Array.from({ length: width }, (_, i) => `label ${i + 1}`);
    return openListed("lists", { root, images, classes, several, lists }, params, context);
  },
});
