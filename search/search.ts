/** `npm run search`: the nearest images of an index. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { UserError } from "../runner/stage.ts";
import { contentOf } from "../stages/shared/search-index.ts";
import { type Answer, textOf, toJson } from "./answers.ts";
import { BATCH, Encoder } from "./encoder.ts";
import { writeGallery } from "./gallery.ts";
import { indexFolder } from "./location.ts";
import { Nearest, type Order } from "./nearest.ts";
import { type Index, openWith } from "./opened.ts";
import { imageFiles, readImage } from "./photos.ts";
import { pictureOf, picturesOf } from "./pictures.ts";

export interface SearchOptions {
  /** Folder of the index; without it, the only one in `indexes/`. */
  index?: string;
  top: number;
  order?: Order;
  json?: boolean;
  /** File of the page to write. */
  html?: string;
}

/** Reads, encodes and looks up the files batch by batch. @param failed is told of each that cannot be read */
async function answer(
  index: Index,
  encoder: Encoder,
  files: string[],
  { top, order = "bits" }: SearchOptions,
  failed: (fault: string) => void,
): Promise<Answer[]> {
  const { recipe } = index;
  const nearest = new Nearest(index);
  const answers: Answer[] = [];
  const bytes = recipe.image.height * recipe.image.width * recipe.image.channels;
  try {
    for (let first = 0; first < files.length; first += BATCH) {
      const began = performance.now();
      const group: string[] = [];
      const pixels = new Uint8Array(BATCH * bytes);
      for (const file of files.slice(first, first + BATCH)) {
        try {
          pixels.set(await readImage(file, recipe.image), group.length * bytes);
          group.push(file);
        } catch (error) {
          if (files.length === 1 || !(error instanceof UserError)) throw error;
          failed(error.message);
        }
      }
      if (group.length === 0) continue;
      const outputs = await encoder.outputs(pixels.subarray(0, group.length * bytes), group.length);
      for (const [i, query] of group.entries()) {
        const own = outputs.subarray(i * recipe.bits, (i + 1) * recipe.bits);
        const content = contentOf(pixels.subarray(i * bytes, (i + 1) * bytes));
        answers.push({ query, milliseconds: 0, hits: nearest.find(own, content, top, order) });
      }
      const milliseconds = Math.round(((performance.now() - began) / group.length) * 10) / 10;
      for (const one of answers.slice(-group.length)) one.milliseconds = milliseconds;
    }
  } finally {
    await encoder.close();
  }
  return answers;
}

/** Writes the page of the answers, with what pictures can be had. */
async function writePage(path: string, index: Index, answers: Answer[]): Promise<void> {
  const rows = new Set(answers.flatMap(({ hits }) => hits.map(({ row }) => row)));
  const pictures = await picturesOf(index, rows);
  const shown = [];
  for (const { query, hits } of answers)
    shown.push({
      query: { picture: await pictureOf(query), name: query, caption: "" },
      found: hits.map(({ row, distance, same }) => {
        const name = index.codes.classes[index.codes.labels[row]];
        return {
          picture: pictures.get(row) ?? { missing: "not in the index's table of images" },
          name: String(index.names?.[row] ?? index.codes.ids[row]),
          caption: `${name ? `${name} · ` : ""}${same ? "the same image" : `${distance} of ${index.codes.bits} bits`}`,
        };
      }),
    });
  writeGallery(path, `Nearest of ${index.recipe.images} images`, shown);
}

/**
 * Searches, prints what was found, and then writes the page, so that nothing on the page can lose the answer.
 * @param from the folder that paths start at
 * @returns the exit code: 2 when an image could not be read
 */
export async function search(
  paths: string[],
  options: SearchOptions,
  root: string,
  from: string,
): Promise<number> {
  const [index, encoder] = await openWith(indexFolder(options.index, root, from), ({ files, recipe }) =>
    Encoder.open(files, recipe, availableParallelism()),
  );
  const files = paths.flatMap((path) => imageFiles(resolve(from, path)));
  const faults: string[] = [];
  const answers = await answer(index, encoder, files, options, (fault) => faults.push(fault));
  if (options.json) console.log(JSON.stringify(toJson(index, answers), null, 2));
  else for (const line of textOf(index, answers)) console.log(line);
  for (const fault of faults) console.error(`! ${fault} It was passed over.`);
  if (faults.length > 0) console.error(`! ${faults.length} of ${files.length} images were not searched.`);
  if (options.html) await writePage(resolve(from, options.html), index, answers);
  return faults.length > 0 ? 2 : 0;
}
