/** `npm run search`: the nearest images of an index. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../runner/stage.ts";
import { readCodes } from "../stages/shared/codes.ts";
import { Scan } from "../stages/shared/hamming/scan.ts";
import { FILES, readRecipe } from "../stages/shared/searchable.ts";
import { BATCH, Encoder } from "./encoder.ts";
import { type Answer, pixelsOf, type Shown, writeGallery } from "./gallery.ts";
import { indexIn } from "./location.ts";
import { imageFiles, readImage } from "./photos.ts";

export interface SearchOptions {
  /** Folder of the index; without it, the only one in `indexes/`. */
  index?: string;
  top: number;
  json?: boolean;
  /** File of the page to write. */
  html?: string;
}

/** An image that was found. */
interface Found {
  /** Its file; where the index is of a data set, its name or its id there. */
  image: string | number;
  class: string;
  /** Bits in which the codes differ. */
  distance: number;
}

/** The index that is meant. @throws UserError when it is not clear which */
export function indexFolder(given: string | undefined, root: string, from: string): string {
  if (given !== undefined) return indexIn(resolve(from, given));
  const indexes = join(root, "indexes");
  const names = existsSync(indexes)
    ? readdirSync(indexes).filter((name) => existsSync(join(indexIn(join(indexes, name)), FILES.recipe)))
    : [];
  if (names.length === 1) return indexIn(join(indexes, names[0]));
  throw new UserError(
    names.length === 0
      ? "search: there is no index yet in indexes/. Make one: npm run index -- FOLDER"
      : `search: name one of the indexes: --index ${names.map((name) => `indexes/${name}`).join(" or --index ")}`,
  );
}

/** Images are read, encoded and looked up batch by batch. @param from the folder that paths start at */
export async function search(
  paths: string[],
  options: SearchOptions,
  root: string,
  from: string,
): Promise<void> {
  const folder = indexFolder(options.index, root, from);
  const recipe = readRecipe(folder);
  const codes = readCodes(join(folder, FILES.codes));
  if (codes.rows === 0) throw new UserError(`${folder}: an index of no images. Make it again.`);
  const files = paths.flatMap((path) => imageFiles(resolve(from, path)));
  const list = (file: string) =>
    existsSync(join(folder, file))
      ? (JSON.parse(readFileSync(join(folder, file), "utf8")) as string[])
      : undefined;
  const sources = list(FILES.paths);
  const names = sources ?? list(FILES.names);
  const scan = new Scan(codes.values, codes.bits);
  const encoder = await Encoder.open(folder, recipe, availableParallelism());

  const answers: { query: string; milliseconds: number; nearest: Found[] }[] = [];
  const shown: Answer[] = [];
  const unreadable: string[] = [];
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
          if (files.length === 1) throw error;
          unreadable.push((error as Error).message);
        }
      }
      if (group.length === 0) continue;
      const encoded = await encoder.encode(pixels.subarray(0, group.length * bytes), group.length);
      const width = encoded.length / group.length;
      for (const [i, file] of group.entries()) {
        const { rows, distances } = scan.nearest(encoded.subarray(i * width, (i + 1) * width), options.top);
        const found = Array.from(
          rows,
          (row, place): Found => ({
            image: names ? names[row] : codes.ids[row],
            class: codes.classes[codes.labels[row]],
            distance: distances[place],
          }),
        );
        const milliseconds = Math.round(((performance.now() - began) / group.length) * 10) / 10;
        answers.push({ query: file, milliseconds, nearest: found });
        if (options.html)
          shown.push({
            query: { source: file, caption: file },
            found: found.map(
              (one, place): Shown => ({
                source: sources ? sources[rows[place]] : rows[place],
                caption: `${one.class || one.image} · ${one.distance} of ${codes.bits} bits`,
              }),
            ),
          });
      }
    }
  } finally {
    await encoder.close();
  }
  if (options.html) {
    const pixels = sources ? undefined : pixelsOf(join(folder, FILES.pixels));
    await writeGallery(resolve(from, options.html), `Nearest of ${recipe.images} images`, shown, pixels);
  }
  if (options.json) console.log(JSON.stringify(answers, null, 2));
  else
    for (const { query, milliseconds, nearest } of answers) {
      console.log(`${query} (${milliseconds} ms)`);
      for (const { image, class: name, distance } of nearest)
        console.log(`  ${String(distance).padStart(3)}  ${name ? `${name}  ` : ""}${image}`);
    }
  for (const fault of unreadable) console.error(`! ${fault} It was passed over.`);
}
