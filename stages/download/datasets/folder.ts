/**
 * Your own images: a folder that is the input `files` of the stage, with one folder a class in it; or with `train`,
 * `val` and `test` in it, each with one folder a class. All that sharp decodes, brought to one size.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import { decode, ENDINGS, type Fit } from "../../shared/download/decode.ts";
import { type Entry, list, looseRemark } from "../../shared/folder/folder.ts";
import { sorted } from "../../shared/folder/walk.ts";
import { shown } from "../../shared/text.ts";
import type { Dataset, DatasetContext, ImageRow } from "../dataset.ts";

/** Images decoded at a time. */
const AT_ONCE = 8;
/** How many unreadable files a warning names; the log names all. */
const NAMED = 3;

interface Params {
  size: number;
  fit: Fit;
  strict: boolean;
}

/** Labels are held as Uint16. */
const MOST_CLASSES = 2 ** 16;

interface Reading {
  root: string;
  shape: { height: number; width: number; channels: number; fit: Fit };
  strict: boolean;
  entries: Entry[];
  classes: string[];
}

/** Decodes the images in their order: an image's id is its place in the list of all, readable or not. */
async function* rowsOf(
  { root, shape, strict, entries, classes }: Reading,
  { signal, log, warn, note }: DatasetContext,
): AsyncGenerator<ImageRow> {
  const labels = new Map(classes.map((name, label) => [name, label]));
  const unreadable: string[] = [];
  const readable = new Set<string>();
  for (let first = 0; first < entries.length; first += AT_ONCE) {
    signal.throwIfAborted();
    const group = entries.slice(first, first + AT_ONCE);
    const decoded = await Promise.allSettled(group.map(({ path }) => decode(join(root, path), shape)));
    for (const [index, result] of decoded.entries()) {
      const { path, split, class: name } = group[index];
      if (result.status === "fulfilled") {
        readable.add(name);
        yield { id: first + index, split, label: labels.get(name)!, pixels: result.value };
        continue;
      }
      const told = shown(`${path} (${result.reason.message})`);
      if (strict)
        throw new UserError(
          `${root}: unreadable image ${told}. Take it out, or set strict to false to leave such images out.`,
        );
      log(`unreadable: ${told}`);
      unreadable.push(told);
    }
  }
  note("unreadable_files", unreadable.length);
  if (unreadable.length)
    warn(
      `${unreadable.length} of ${entries.length} images are unreadable and left out: ${unreadable.slice(0, NAMED).join(", ")}${unreadable.length > NAMED ? ", … (the log names all)" : ""}.`,
    );
  const lost = classes.filter((name) => !readable.has(name));
  if (lost.length && readable.size)
    warn(
      `not one image could be read of ${lost.length === 1 ? "the class" : "the classes"} ${lost.join(", ")}.`,
    );
}

export default {
  params: {
    size: { type: "integer", minimum: 1, default: 224, description: "side in pixels that images get" },
    fit: {
      enum: ["cover", "contain", "fill"],
      default: "cover",
      description: "cover: cut to a square; contain: white bars; fill: stretched",
    },
    strict: { type: "boolean", default: false, description: "an unreadable image ends the run" },
  },
  async open(given, context) {
    const { files: root, log, warn, note } = context;
    const params = given as unknown as Params;
    const shape = { height: params.size, width: params.size, channels: 3, fit: params.fit };
    if (!root)
      throw new UserError(
        "download: the data set folder needs the folder itself: inputs: { files: ./MY/IMAGES }, with one folder a class in it.",
      );
    if (!statSync(root).isDirectory())
      throw new UserError(`${root}: no folder. Name one with one folder a class in it.`);
    const { entries, loose, others, remarks } = list(root);
    for (const remark of [...remarks, ...looseRemark(loose)]) warn(remark);
    const classes = sorted([...new Set(entries.map((entry) => entry.class))]);
    if (classes.length === 0)
      throw new UserError(
        `${root}: no images. There must be one folder a class, with ${ENDINGS.join(", ")}.`,
      );
    if (classes.length > MOST_CLASSES)
      throw new UserError(`${root}: ${classes.length} classes, but ${MOST_CLASSES} are the most.`);
    if (others.length) log(`no images by their ending: ${others.map(shown).join(", ")}`);
    note("other_files", others.length);
    return {
      info: {
        dataset: "folder",
        ...shape,
        classes,
        names: entries.map(({ path }) => path),
        images: entries.length,
      },
      rows: rowsOf({ root, shape, strict: params.strict, entries, classes }, context),
    };
  },
} satisfies Dataset;
