/** `index update`, `index add` and `index remove`: an index that follows its folders. */
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { type Recipe, type Root, readRecipe, seal, UNSEALED } from "../../stages/shared/search-index.ts";
import { Encoder } from "../encoder.ts";
import { type Index, openIndex } from "../opened.ts";
import { type Comparison, type Counts, compare } from "./compare.ts";
import { copyEncoder, encodePhotos } from "./encode.ts";
import { checkApart, replace } from "./place.ts";
import { type Change, moved, pathOf, withoutPath, withPath } from "./roots.ts";
import { Rows, writeRows } from "./rows.ts";

/** Images that are encoded before the index is replaced: a kill costs at most the time of these. */
const ROUND = 5000;

/** The change to the roots of an index. */
interface Edit {
  /** The roots where their folders are now, in the same order. */
  move?: (roots: Root[]) => Root[];
  change: (roots: Root[]) => Change;
}

/** The encoder of an index, opened when it is needed and kept while it is the same. */
class Kept {
  private held?: { hash: string; encoder: Encoder };

  async of({ files, recipe }: Index): Promise<Encoder> {
    if (this.held?.hash !== recipe.encoder) {
      await this.close();
      this.held = {
        hash: recipe.encoder,
        encoder: await Encoder.open(files, recipe, availableParallelism()),
      };
    }
    return this.held.encoder;
  }

  async close(): Promise<void> {
    await this.held?.encoder.close();
    this.held = undefined;
  }
}

/** Encodes what has no row. @param rows of the index @param failed takes the paths that could not be read */
async function withAllRows(
  { images }: Comparison,
  rows: Rows,
  roots: Root[],
  index: Index,
  kept: Kept,
  failed: Set<string>,
): Promise<Rows> {
  const { image, bits } = index.recipe;
  const fresh = images.flatMap(({ photo, row }) => (row === undefined ? [photo] : []));
  const made = Rows.empty(bits, fresh.length);
  if (fresh.length > 0) {
    const encoder = await kept.of(index);
    await encodePhotos(fresh, roots, image, made, async (pixels, count) =>
      made.encode(await encoder.outputs(pixels, count)),
    );
  }
  const places = new Map(made.columns.photos.map((photo, row) => [photo, row]));
  for (const photo of fresh) if (!places.has(photo)) failed.add(pathOf(roots, photo));
  const all = Rows.empty(bits, images.length);
  for (const { photo, row, stamp } of images)
    if (row !== undefined) all.take(rows, row, photo, stamp);
    else if (places.has(photo)) all.take(made, places.get(photo)!, photo);
  return all;
}

/** Writes an index with other rows, whose encoder stays. */
async function write(scratch: string, { files, recipe }: Index, roots: Root[], rows: Rows): Promise<void> {
  const data = join(scratch, UNSEALED);
  mkdirSync(data);
  await copyEncoder(files, recipe, data);
  const classes = writeRows(data, rows);
  const { backbone, views, image, head, bits } = recipe;
  await seal(scratch, { backbone, views, image, head, bits, classes, images: rows.length, roots });
}

/** An index of files. @throws UserError for one of a table of images */
async function openOwn(folder: string): Promise<Index & { recipe: Recipe & { roots: Root[] } }> {
  const index = await openIndex(folder);
  if (index.recipe.roots === undefined)
    throw new UserError(
      `index: ${folder} is of a data set, which a pipeline made. Run the pipeline again, or make an index of a folder: npm run index -- FOLDER --like ${folder}`,
    );
  return index as Index & { recipe: Recipe & { roots: Root[] } };
}

/** One round. @returns the changes, and how many images wait for the next */
async function round(
  folder: string,
  edit: Edit,
  kept: Kept,
  failed: Set<string>,
  most: number,
): Promise<{ counts: Counts; waiting: number; images: number }> {
  let done: { counts: Counts; waiting: number; images: number } | undefined;
  await replace(folder, async (scratch) => {
    const index = await openOwn(folder); // now that no other process replaces it
    const before = index.recipe.roots;
    const places = edit.move?.(before) ?? before;
    const change = edit.change(places);
    if (change.roots.length === 0)
      throw new UserError(`index: ${folder} would have no image left. Remove the folder itself instead.`);
    checkApart(
      folder,
      change.roots.map(({ path }) => path),
      "Move the index to a folder beside them.",
    );
    const rows = await Rows.of(index);
    const comparison = compare(rows, places, change, most, failed);
    const all = await withAllRows(comparison, rows, change.roots, index, kept, failed);
    if (all.length === 0)
      throw new UserError(`index: ${folder} would have no image left. Remove the folder itself instead.`);
    done = { ...comparison, images: all.length };
    if (comparison.isSame && JSON.stringify(change.roots) === JSON.stringify(before)) return false;
    await write(scratch, index, change.roots, all);
  });
  return done!;
}

/** An index that was changed. */
export interface Changed extends Counts {
  /** Images that it has now. */
  images: number;
  /** Images that could not be read. */
  failed: number;
}

/** Changes an index, round by round. @param most images of a round */
async function changeIndex(folder: string, edit: Edit, most: number): Promise<Changed> {
  readRecipe(folder); // no folder is made at a place without an index
  const kept = new Kept();
  const failed = new Set<string>();
  const counts: Counts = { new: 0, changed: 0, moved: 0, gone: 0 };
  try {
    for (;;) {
      const { counts: more, waiting, images } = await round(folder, edit, kept, failed, most);
      for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += more[name];
      if (waiting === 0) return { ...counts, images, failed: failed.size };
      console.error(`${folder}: ${images} images are in it, ${waiting} are left to do.`);
      edit = { change: edit.change }; // the roots have moved
    }
  } finally {
    await kept.close();
  }
}

const everyRoot = (roots: Root[]): Change => ({ roots, scan: new Set(roots.keys()) });

/** Brings an index to what its folders have. @param moves see {@link moved} */
export function updateIndex(folder: string, moves: string[], from: string, most = ROUND): Promise<Changed> {
  const move = (roots: Root[]) => moved(roots, moves, (path) => resolve(from, path));
  return changeIndex(folder, { move, change: everyRoot }, most);
}

/** Adds the images of folders, and single images. */
export function addToIndex(
  folder: string,
  paths: string[],
  exclude: string[],
  from: string,
  most = ROUND,
): Promise<Changed> {
  const change = (before: Root[]) =>
    paths.reduce<Change>(
      ({ roots, scan }, path) => {
        const next = withPath(roots, resolve(from, path), exclude);
        return { roots: next.roots, scan: new Set([...scan, ...next.scan]) };
      },
      { roots: before, scan: new Set() },
    );
  return changeIndex(folder, { change }, most);
}

/** Takes images out; an update does not bring them back. */
export function removeFromIndex(folder: string, paths: string[], from: string): Promise<Changed> {
  const change = (before: Root[]): Change => ({
    roots: paths.reduce((roots, path) => withoutPath(roots, resolve(from, path)), before),
    scan: new Set(),
  });
  return changeIndex(folder, { change }, 0);
}
