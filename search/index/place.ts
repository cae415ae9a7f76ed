/** Where a new index goes. Nothing is removed there but what an earlier `npm run index` wrote, file by file, unchanged. */
import {
  type Dirent,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { isFolder, isWithin, realPlace, scratchName, sweep, sync } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import {
  FILES,
  type FileList,
  faultOf,
  folderOf,
  listSum,
  type Recipe,
  readList,
  readRecipe,
} from "../../stages/shared/search-index.ts";

const SCRATCH = /^index\.\d+\.scratch-/;
const DATA = /^data-[0-9a-f]{16}$/;

/** The last part of a path that is there. */
const lastThere = (path: string): string => (existsSync(path) ? path : lastThere(dirname(path)));

/**
 * Checks that a path is a folder or can become one.
 * @param told names it in the error: the command and the path; @param otherwise the next step
 * @throws UserError when a file or a link to nothing is in its place
 */
export function checkFolder(out: string, told: string, otherwise: string): void {
  const above = lastThere(out);
  if (!isFolder(above))
    throw new UserError(
      above === out
        ? `${told} is no folder. ${otherwise}`
        : `${told}: ${above} is a file, not a folder. ${otherwise}`,
    );
  if (above !== out && lstatSync(out, { throwIfNoEntry: false }))
    throw new UserError(`${told} is a link to nothing. ${otherwise}`);
}

/** The files of a folder of data, by its own list. @throws UserError when anything in it is not as listed */
async function certified(data: string): Promise<FileList> {
  const entries = readdirSync(data, { recursive: true, withFileTypes: true });
  if (entries.length === 0) return {}; // a kill between removing the list and its folder
  const sum = listSum(data);
  if (folderOf(sum) !== basename(data)) throw new UserError(`${data}: its name is not that of its list.`);
  const list = readList(data, sum);
  for (const entry of entries) {
    const name = relative(data, join(entry.parentPath, entry.name)).replaceAll(sep, "/");
    if (name === FILES.list || (entry.isDirectory() && name === FILES.head)) continue;
    const fault = list[name] ? await faultOf(data, name, list) : `${join(data, name)}: not of the index.`;
    if (fault) throw new UserError(fault);
  }
  return list;
}

interface Found {
  recipe?: Recipe;
  /** Names of folders of data: the index's own, and what a kill left of others. */
  data: string[];
}

/** Notes what an entry of `out` is. @throws UserError when `npm run index` did not write it */
async function note(out: string, entry: Dirent, found: Found): Promise<void> {
  if (entry.name === FILES.recipe) found.recipe = readRecipe(out);
  else if (entry.isDirectory() && DATA.test(entry.name)) {
    await certified(join(out, entry.name));
    found.data.push(entry.name);
  } else if (!(entry.isDirectory() && SCRATCH.test(entry.name)))
    throw new UserError("not a part of an index");
}

/**
 * The files that earlier calls of `npm run index` wrote to a folder.
 * @param otherwise the next step where something else is there
 * @throws UserError when anything else is there
 */
async function survey(out: string, otherwise: string): Promise<Found> {
  const found: Found = { data: [] };
  for (const entry of readdirSync(out, { withFileTypes: true }))
    try {
      await note(out, entry, found);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        `index: ${out}: there is something else, or it has changed since npm run index wrote it: ${entry.name} (${error.message.replace(/\.? Make .*$/s, "")}). ${otherwise}`,
      );
    }
  return found;
}

/** @throws UserError when an index would be among its images, or they in it; `otherwise` is the next step */
export function checkApart(out: string, roots: string[], otherwise: string): void {
  for (const root of roots) {
    const [at, images] = [realPlace(out), realPlace(root)];
    if (isWithin(at, images) || isWithin(images, at))
      throw new UserError(
        `index: ${out} and the images' folder ${root} are one inside the other. ${otherwise}`,
      );
  }
}

/**
 * Checks that a new index may go to a folder.
 * @param roots the folders of its images; @param force whether it may replace an index of other images
 * @throws UserError when it may not
 */
export async function checkPlace(out: string, roots: string[], force: boolean): Promise<void> {
  const at = realPlace(out);
  checkApart(out, roots, "Name a folder beside it with --out.");
  checkFolder(out, `index: ${out}`, "Name another folder with --out.");
  if (!existsSync(out)) return;
  const { recipe } = await survey(at, "Name another folder with --out, or move it away.");
  if (!recipe) return;
  if (recipe.roots === undefined)
    throw new UserError(
      `index: ${out} holds the index that a pipeline made. Name another folder with --out.`,
    );
  const held = recipe.roots.map(({ path }) => path);
  if (String([...held].sort()) !== String([...roots].sort()) && !force)
    throw new UserError(
      `index: ${out} holds the index of ${recipe.images} images of ${held.join(", ")}. Name another folder with --out, or replace it with --force.`,
    );
}

/** Removes a folder of data: the files of its list, where all is as listed, and the list last. */
async function remove(data: string): Promise<void> {
  const list = await certified(data);
  for (const name of Object.keys(list)) rmSync(join(data, name), { force: true });
  if (existsSync(join(data, FILES.head))) rmdirSync(join(data, FILES.head));
  rmSync(join(data, FILES.list), { force: true });
  rmdirSync(data);
}

/** Removes a folder and those above it, up to the last one, as far as they are empty. */
function removeEmpty(folder: string, last: string): void {
  try {
    rmdirSync(folder);
    if (folder !== last) removeEmpty(dirname(folder), last);
  } catch {} // it holds something
}

/**
 * Makes an index in a folder of its own within `out` and puts it in the old one's place in one step.
 * @param make fills the folder; the old index stays where it returns false
 */
export async function replace(out: string, make: (scratch: string) => Promise<unknown>): Promise<void> {
  const made = mkdirSync(out, { recursive: true });
  const scratch = join(out, scratchName("index"));
  mkdirSync(scratch);
  try {
    sweep(out);
    const other = readdirSync(out).find((name) => SCRATCH.test(name) && name !== basename(scratch));
    if (other)
      throw new UserError(
        `index: another npm run index is at work in ${out} (${other}). Wait for it, or remove that folder if it is on a machine that is off.`,
      );
    if ((await make(scratch)) !== false) await install(scratch, out);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    if (made !== undefined) removeEmpty(resolve(out), resolve(made));
  }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());

/** Puts the files of a new index into `out`: those that are there already are the same, by the folder's name. */
function putData(data: string, to: string): void {
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true }))
    sync(join(entry.parentPath, entry.name)); // before they have a name that is trusted
  sync(data);
  if (existsSync(to))
    for (const { parentPath, name } of filesIn(data)) {
      const folder = join(to, relative(data, parentPath));
      mkdirSync(folder, { recursive: true });
      renameSync(join(parentPath, name), join(folder, name));
    }
  else renameSync(data, to);
  sync(to);
  if (existsSync(join(to, FILES.head))) sync(join(to, FILES.head));
}

async function install(scratch: string, out: string): Promise<void> {
  const { data: before } = await survey(out, "Move it away."); // once more: encoding took its time
  const name = folderOf(readRecipe(scratch).files);
  putData(join(scratch, name), join(out, name));
  sync(join(scratch, FILES.recipe));
  sync(out);
  renameSync(join(scratch, FILES.recipe), join(out, FILES.recipe)); // from here on it is the new one
  sync(out);
  for (const old of before)
    if (old !== name)
      try {
        await remove(join(out, old));
      } catch (error) {
        console.error(`! ${join(out, old)} of the index before is left there (${(error as Error).message}).`);
      }
}
