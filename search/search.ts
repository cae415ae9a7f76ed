/** `npm run search`: the nearest images of an index. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { UserError } from "../runner/stage.ts";
import { contentOf } from "../stages/shared/search-index.ts";
import { type Answer, textOf, toJson } from "./answers.ts";
import { labelsOf } from "./classes.ts";
import { BATCH, Encoder } from "./encoder.ts";
import { galleryFile, writeGallery } from "./gallery.ts";
import { indexFolder } from "./location.ts";
import { Nearest, type Order, type Wanted } from "./nearest.ts";
import { type Index, openWith } from "./opened.ts";
import type { OutputFile } from "./output-file.ts";
import { readImage } from "./photos.ts";
import { pictureOf, picturesOf } from "./pictures.ts";
import { type Query, withQueries } from "./queries.ts";

export interface SearchOptions {
  /** Folder of the index; without it, the only one in `indexes/`. */
  index?: string;
  top: number;
  order?: Order;
  /** Most bits in which a code may differ. */
  radius?: number;
  /** Classes whose images are searched; without it, all. */
  class?: string[];
  /** Beyond `top`, all images at the last one's distance. */
  allTies?: boolean;
  /** Addresses of images on the web. */
  url?: string[];
  /** Whether these may be in private networks. */
  allowPrivate?: boolean;
  json?: boolean;
  /** JSON, one line a query, as soon as it is answered. */
  jsonLines?: boolean;
  /** File of the page to write. */
  html?: string;
}

/**
 * Reads, encodes and looks up the images batch by batch.
 * @param failed is told of each that cannot be read
 */
async function* answers(
  index: Index,
  encoder: Encoder,
  queries: Query[],
  wanted: Wanted,
  failed: (fault: string) => void,
): AsyncGenerator<Answer> {
  const { recipe } = index;
  const nearest = new Nearest(index);
  const bytes = recipe.image.height * recipe.image.width * recipe.image.channels;
  for (let first = 0; first < queries.length; first += BATCH) {
    const began = performance.now();
    const group: string[] = [];
    const pixels = new Uint8Array(BATCH * bytes);
    for (const { name, path, fetch } of queries.slice(first, first + BATCH)) {
      try {
        await fetch?.();
        pixels.set(await readImage(path, recipe.image, name), group.length * bytes);
        group.push(name);
      } catch (error) {
        if (queries.length === 1 || !(error instanceof UserError)) throw error;
        failed(error.message);
      }
    }
    if (group.length === 0) continue;
    const outputs = await encoder.outputs(pixels.subarray(0, group.length * bytes), group.length);
    const found = group.map((query, i): Answer => {
      const own = outputs.subarray(i * recipe.bits, (i + 1) * recipe.bits);
      const content = contentOf(pixels.subarray(i * bytes, (i + 1) * bytes));
      return { query, milliseconds: 0, hits: nearest.find(own, content, wanted) };
    });
    const milliseconds = Math.round(((performance.now() - began) / group.length) * 10) / 10;
    for (const one of found) yield { ...one, milliseconds };
  }
}

/** Writes the page of the answers, with what pictures can be had. */
async function writePage(
  file: OutputFile,
  index: Index,
  answers: Answer[],
  pathOf: (query: string) => string,
): Promise<void> {
  const rows = new Set(answers.flatMap(({ hits }) => hits.map(({ row }) => row)));
  const pictures = await picturesOf(index, rows);
  const shown = [];
  for (const { query, hits } of answers)
    shown.push({
      query: { picture: await pictureOf(pathOf(query)), name: query, caption: "" },
      found: hits.map(({ row, distance, same }) => {
        const name = index.codes.classes[index.codes.labels[row]];
        return {
          picture: pictures.get(row) ?? { missing: "not in the index's table of images" },
          name: String(index.names?.at(row) ?? index.codes.ids[row]),
          caption: `${name ? `${name} · ` : ""}${same ? "the same image" : `${distance} of ${index.codes.bits} bits`}`,
        };
      }),
    });
  writeGallery(file, `Nearest of ${index.recipe.images} images`, shown);
}

/**
 * Searches, prints each answer as soon as it is there, and then writes the page, so that nothing on the page can lose
 * an answer.
 * @param from the folder that paths start at; @param input the standard input
 * @returns the exit code: 2 when an image could not be read
 */
export function search(
  paths: string[],
  options: SearchOptions,
  root: string,
  from: string,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<number> {
  const { top, order, allTies, radius, json, jsonLines, html } = options;
  if (json && jsonLines) throw new UserError("search: --json or --json-lines, not both.");
  return withQueries(
    { paths, urls: options.url, allowPrivate: options.allowPrivate },
    from,
    input,
    async (queries) => {
      const folder = indexFolder(options.index, root, from);
      const page =
        html === undefined ? undefined : galleryFile("search: --html", resolve(from, html), folder);
      const [index, encoder] = await openWith(folder, ({ files, recipe }) =>
        Encoder.open(files, recipe, availableParallelism()),
      );
      const faults: string[] = [];
      const all: Answer[] = [];
      try {
        const labels = options.class && labelsOf(index, options.class, "search: --class", index.folder);
        const wanted = { top, order, allTies, radius, labels };
        for await (const answer of answers(index, encoder, queries, wanted, (fault) => faults.push(fault))) {
          if (jsonLines) console.log(JSON.stringify(toJson(index, answer, order)));
          else if (!json) for (const line of textOf(index, answer)) console.log(line);
          if (json || page) all.push(answer);
        }
      } finally {
        await encoder.close();
      }
      if (json)
        console.log(
          JSON.stringify(
            all.map((answer) => toJson(index, answer, order)),
            null,
            2,
          ),
        );
      for (const fault of faults) console.error(`! ${fault} It was passed over.`);
      if (faults.length > 0)
        console.error(`! ${faults.length} of ${queries.length} images were not searched.`);
      const paths = new Map(queries.map(({ name, path }) => [name, path]));
      if (page) await writePage(page, index, all, (name) => paths.get(name)!);
      return faults.length > 0 ? 2 : 0;
    },
  );
}
