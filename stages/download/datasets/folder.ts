/**
 * Your own images: a folder that stands as the input `files` of the stage, with one folder a class in it; or with
 * `train` and `test` in it, each with one folder a class. PNG, JPEG and WebP, brought to one size.
 */
import { readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import { decode, ENDINGS, type Fit } from "../../shared/decode.ts";
import type { Dataset, ImageRow } from "../dataset.ts";

/** Images decoded at a time. */
const AT_ONCE = 8;
/** How many unreadable files a warning names; the log names all. */
const NAMED = 3;

interface Params {
  size: number;
  fit: Fit;
  strict: boolean;
}

export interface Entry {
  /** From the data set's folder. */
  path: string;
  split: "train" | "test";
  class: string;
}

const foldersIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => !name.startsWith(".") && statSync(join(folder, name)).isDirectory())
    .sort();

/** All images, by split, class and path, and the files that are none by their ending. */
export function list(root: string): { entries: Entry[]; others: string[] } {
  const top = foldersIn(root);
  const published = top.length === 2 && top.includes("train") && top.includes("test");
  const entries: Entry[] = [];
  const others: string[] = [];
  for (const split of ["train", "test"] as const) {
    if (split === "test" && !published) continue;
    const below = published ? split : "";
    for (const name of foldersIn(join(root, below))) {
      const paths = readdirSync(join(root, below, name), { recursive: true, encoding: "utf8" })
        .map((file) => join(below, name, file))
        .filter((path) => !statSync(join(root, path)).isDirectory())
        .sort();
      for (const path of paths)
        if (ENDINGS.includes(extname(path).toLowerCase())) entries.push({ path, split, class: name });
        else others.push(path);
    }
  }
  return { entries, others };
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
  async open(given, { files: root, log, warn, note, signal }) {
    const params = given as unknown as Params;
    const shape = { height: params.size, width: params.size, channels: 3, fit: params.fit };
    if (!root)
      throw new UserError(
        "download: the data set folder needs the folder itself: inputs: { files: ./MY/IMAGES }, with one folder a class in it.",
      );
    if (!statSync(root).isDirectory())
      throw new UserError(`${root}: no folder. Name one with one folder a class in it.`);
    const { entries, others } = list(root);
    const classes = [...new Set(entries.map((entry) => entry.class))].sort();
    if (classes.length === 0)
      throw new UserError(
        `${root}: no images. There must be one folder a class, with ${ENDINGS.join(", ")}.`,
      );
    if (others.length) log(`no images by their ending: ${others.join(", ")}`);
    note("other_files", others.length);
    return {
      info: {
        dataset: "folder",
        ...shape,
        classes,
        names: entries.map(({ path }) => path),
        images: entries.length,
      },
      // An image's id is its place in the list of all, readable or not.
      rows: (async function* (): AsyncGenerator<ImageRow> {
        const faults: string[] = [];
        for (let first = 0; first < entries.length; first += AT_ONCE) {
          signal.throwIfAborted();
          const group = entries.slice(first, first + AT_ONCE);
          const decoded = await Promise.allSettled(group.map(({ path }) => decode(join(root, path), shape)));
          for (const [index, result] of decoded.entries()) {
            const { path, split, class: name } = group[index];
            if (result.status === "fulfilled") {
              yield { id: first + index, split, label: classes.indexOf(name), pixels: result.value };
              continue;
            }
            const fault = `${path} (${String(result.reason.message).split("\n")[0]})`;
            if (params.strict)
              throw new UserError(
                `${root}: unreadable image ${fault}. Take it out, or set strict to false to pass over such.`,
              );
            log(`unreadable: ${fault}`);
            faults.push(fault);
          }
        }
        note("unreadable_files", faults.length);
        if (faults.length)
          warn(
            `${faults.length} of ${entries.length} images are unreadable and left out: ${faults.slice(0, NAMED).join(", ")}${faults.length > NAMED ? ", … (the log names all)" : ""}.`,
          );
      })(),
    };
  },
} satisfies Dataset;
