/**
 * Your own list of images: a CSV file with the columns `path` and `label` or `labels`, and `split` where the images'
 * roles are given (train, validation, test, database, train+database), and `category` where classes are grouped. Several
 * labels are separated by `|`.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import { UserError } from "../../../runner/stage.ts";
import { sorted } from "../../shared/folder/walk.ts";
import { shown } from "../../shared/text.ts";
import { defineDataset, type Role } from "../dataset.ts";
import { checkDeclared, fileParams, openListed, severalParam } from "../decoded.ts";
import { categoriesOfClasses, checkOnce, pathOf } from "../lists.ts";

const ROLES: Role[] = ["train", "validation", "test", "database", "train+database"];
/** Labels are held as Uint16. */
const MOST_CLASSES = 2 ** 16;

interface Row {
  record: Record<string, string>;
  info: { lines: number };
}

/** The rows of the file, each with its line. */
function rowsOf(path: string): { rows: Row[]; sha256: string } {
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  try {
    const rows = parse(bytes, { columns: true, info: true, bom: true, trim: true, skip_empty_lines: true });
    return { rows: rows as unknown as Row[], sha256 };
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(`${path}: ${error.message}.`);
    throw error;
  }
}

export default defineDataset({
  categories: true,
  params: {
    list: { type: "string", minLength: 1, default: "images.csv", description: "the CSV file in the folder" },
    separator: { type: "string", minLength: 1, default: "|", description: "between an image's labels" },
    several: { ...severalParam, optional: true },
    ...fileParams,
  },
  async open(params, context) {
    const root = context.files;
    if (!root)
      throw new UserError(
        `download: the data set csv needs its folder: inputs: { files: ./MY/DATA }, with ${params.list} and the images in it.`,
      );
    const path = join(root, params.list);
    if (!existsSync(path)) throw new UserError(`${path}: no such list. Add it, or name another.`);
    const { rows, sha256 } = rowsOf(path);
    if (rows.length === 0) throw new UserError(`${path}: lists no images.`);
    const column = ["labels", "label"].find((name) => name in rows[0].record);
    if (!column || !("path" in rows[0].record))
      throw new UserError(
        `${path}: the columns path and label (or labels) were expected, but there are ${Object.keys(rows[0].record).map(shown).join(", ")}.`,
      );
    const grouped = "category" in rows[0].record;
    const listed = rows.map(({ record, info }) => {
      const where = `${path}:${info.lines}`;
      const split = (record.split || "train") as Role;
      if (!ROLES.includes(split))
        throw new UserError(`${where}: "${shown(split)}" is no split: ${ROLES.join(", ")}.`);
      const names = record[column]
        .split(params.separator)
        .map((name) => name.trim())
        .filter(Boolean);
      if (names.length === 0)
        throw new UserError(`${where}: ${shown(record.path)} has no label. Give it one, or leave it out.`);
      return {
        path: pathOf(record.path, where),
        split,
        category: (record.category ?? "").normalize("NFC"),
        names: names.map((name) => shown(name.normalize("NFC"))),
        where,
      };
    });
    checkOnce(listed);
    const classes = sorted([...new Set(listed.flatMap(({ names }) => names))]);
    if (classes.length > MOST_CLASSES)
      throw new UserError(`${path}: ${classes.length} labels, but ${MOST_CLASSES} are the most.`);
    const labelOf = new Map(classes.map((name, label) => [name, label]));
    const images = listed.map(({ path, split, names, category, where }) => ({
      path,
      split,
      category,
      where,
      labels: [...new Set(names.map((name) => labelOf.get(name)!))].sort((a, b) => a - b),
    }));
    checkDeclared(images, params.several);
    // The column may be about something else: only a sampler that draws by category needs it, and tells the reason. That
    // names a line without the folder: it is part of the result, which is the same in every folder.
    const inList = images.map((image) => ({
      ...image,
      where: `${params.list}${image.where.slice(path.length)}`,
    }));
    const found = grouped ? categoriesOfClasses(inList, classes) : {};
    const several = images.some(({ labels }) => labels.length > 1);
    return openListed(
      "csv",
      { root, images, classes, ...found, several, lists: { [params.list]: sha256 } },
      params,
      context,
    );
  },
});
