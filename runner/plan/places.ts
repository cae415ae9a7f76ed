/** Where outputs are published. A path that is invalid by itself is rejected here, before anything runs. */
import { lstatSync, realpathSync } from "node:fs";
import { resolve as absolute, basename, dirname, join, normalize, relative, sep } from "node:path";
import { isWithin } from "../files/index.ts";
import { UserError } from "../stage.ts";
import type { StageInstance } from "../study/index.ts";
import { brief, dotted, oneLine, type Path } from "../text/index.ts";

/** A stage instance with the outputs that it makes. */
export interface Publisher
  extends Pick<StageInstance, "id" | "stage" | "uses" | "publish" | "inputs" | "at"> {
  outputs: Record<string, { path: string }>;
}

/** The file in each published folder that lists its published files. */
export const LIST = ".published";
/** The list of what a clock wrote there: apart, so that a rerun leaves the other one, which is committed, as it is. */
export const MEASURED_LIST = ".published-measured";

/** Folders of the project that hold its code, or its store. A stage may publish data into its own folder only. */
const OWN = new Set(["cache", "init", "library", "runner", "schemas", "search", "stages", "templates"]);

/** One spelling for all that some file system takes for the same: letters of either case, accents in either form. */
const spelt = (path: string): string => path.normalize("NFC").toLowerCase();

/** The path of an output, or of a file of it, whether it was written with "./" or a last "/". */
export const placeOf = (path: string): string => normalize(path).replace(/\/$/, "");

/** All folders above an absolute path, the nearest first. */
function* above(path: string): Generator<string> {
  for (let at = path; at !== dirname(at); ) {
    at = dirname(at);
    yield at;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/**
 * A path with all links followed, of which the end need not be there.
 * @throws Error naming a link that points to nothing or to itself
 */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP" || isLink(path))
      throw new Error(`${path} is a link that points ${code === "ELOOP" ? "to itself" : "to nothing"}`);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    return join(realPath(dirname(path)), basename(path));
  }
}

/** The first two outputs of which one is, or is inside, the other. */
export function twins(outputs: Publisher["outputs"]): [string, string] | undefined {
  const taken = new Map<string, string>();
  const places = Object.entries(outputs).map(
    ([name, { path }]) => [name, spelt(absolute("/", path))] as const,
  );
  for (const [name, place] of places) {
    const other = taken.get(place);
    if (other !== undefined) return [other, name];
    taken.set(place, name);
  }
  for (const [name, place] of places)
    for (const folder of above(place)) {
      const other = taken.get(folder);
      if (other !== undefined) return [other, name];
    }
  return undefined;
}

/** One output where it is published. */
interface Place {
  task: Publisher;
  output: string;
  /** From the project's folder, links followed. */
  path: string;
  /** The same from the top, in one spelling. */
  key: string;
}

function fault({ task: { at, stage } }: Pick<Place, "task">, path: Path, message: string): never {
  throw new UserError(oneLine(`${at(...path)} ${dotted([stage, ...path])}: ${message}`));
}

/** The reason why a place cannot be published to; "" for none. */
function faultOf({ path, task: { uses } }: Place, home: string, cache: string): string {
  const names = spelt(path).split(sep);
  const own = names.find((name) => name === ".git" || name === "node_modules");
  if (own) return `${brief(path)} is in a folder ${own}`;
  if (names[0].startsWith(".")) return `${brief(path)} is hidden`;
  const whole = join(home, path);
  if (isWithin(whole, cache) || isWithin(cache, whole)) return `${brief(path)} is a place of the cache`;
  const ofStage = uses !== undefined && isWithin(whole, join(home, "stages", uses)) && names.length > 2;
  if (OWN.has(names[0]) && !ofStage) return `${names[0]}/ is a folder of the project's own`;
  return "";
}

/** The real folder that a task publishes to, from the project's. @throws UserError when a link leads elsewhere */
function folderOf(task: Publisher, publish: string, home: string): string {
  let folder = "";
  try {
    folder = relative(home, realPath(join(home, publish)));
  } catch (error) {
    fault({ task }, ["publish"], `${(error as Error).message}. Remove it, or name another folder.`);
  }
  if (folder === "" || !isWithin(join(home, folder), home))
    fault(
      { task },
      ["publish"],
      `${brief(publish)} is a link out of the project. Name a folder of the project.`,
    );
  return folder;
}

/** The places of all published outputs. @throws UserError for one that is not for publishing */
function placesOf(tasks: Publisher[], root: string, cache: string): Place[] {
  const home = realPath(root);
  const store = realPath(cache);
  const folders = new Map<string, string>();
  return tasks.flatMap((task) => {
    const { publish } = task;
    if (publish === undefined) return [];
    const folder = folders.get(publish) ?? folderOf(task, publish, home);
    folders.set(publish, folder);
    return Object.entries(task.outputs).map(([output, { path: below }]) => {
      const path = relative(home, join(home, folder, below));
      const place: Place = { task, output, path, key: spelt(join(home, path)) };
      const found = faultOf(place, home, store);
      if (found) fault(place, ["publish"], `${found}. Name a folder for reports, as reports/NAME.`);
      const list = [LIST, MEASURED_LIST].find((name) => spelt(below).split("/")[0] === name);
      if (list !== undefined)
        fault(
          place,
          ["publish"],
          `"${output}" would replace ${list}, the list of published files. Rename it.`,
        );
      return place;
    });
  });
}

/** @throws UserError for two outputs of which one is, or is inside, the other */
function refuseShared(places: Place[], taken: Map<string, Place>): void {
  const clash = (one: Place, other: Place): never => {
    const both = other.path === one.path ? "" : ` and ${brief(one.path)}`;
    const names = `${one.task.id}.${one.output} and ${other.task.id}.${other.output}`;
    return fault(
      one,
      ["publish"],
      `${names} would take one place (${brief(other.path)}${both}). Give each its own folder.`,
    );
  };
  for (const place of places) {
    const other = taken.get(place.key);
    if (other) clash(place, other);
    taken.set(place.key, place);
  }
  for (const place of places)
    for (const folder of above(place.key)) {
      const other = taken.get(folder);
      if (other) clash(place, other);
    }
}

/** @throws UserError for an input that is read where an output is published: it would be that of an earlier run */
function refuseStale(tasks: Publisher[], root: string, places: Place[], taken: Map<string, Place>): void {
  const holding = new Map(places.flatMap((place) => [...above(place.key)].map((folder) => [folder, place])));
  const known = new Map<string, Place | undefined>();
  const publisherOf = (file: string): Place | undefined => {
    let key: string;
    try {
      key = spelt(realPath(absolute(root, file)));
    } catch {
      return undefined; // a link that points to nothing is told as an input that is not there
    }
    const around = [key, ...above(key)].find((folder) => taken.has(folder));
    return around === undefined ? holding.get(key) : taken.get(around);
  };
  for (const task of tasks)
    for (const [name, references] of Object.entries(task.inputs))
      for (const reference of references) {
        if (!("file" in reference)) continue;
        const { file } = reference;
        if (!known.has(file)) known.set(file, publisherOf(file));
        const place = known.get(file);
        if (!place) continue;
        const by = `${place.task.id}.${place.output}`;
        fault(
          { task },
          ["inputs", name],
          place.task === task
            ? `this stage publishes ${by} to ${brief(place.path)}, so ${brief(file)} would never be up to date. Take another file.`
            : `${place.task.id} publishes to ${brief(place.path)}, so ${brief(file)} is what an earlier run left there. Write ${by} instead.`,
        );
      }
}

/**
 * Refuses what can be known to go wrong with publishing from the paths alone.
 * @param cache the folder of the store
 * @throws UserError with file:line:column
 */
export function refusePlaces(tasks: Publisher[], root: string, cache: string): void {
  const places = placesOf(tasks, root, cache);
  if (places.length === 0) return;
  const taken = new Map<string, Place>();
  refuseShared(places, taken);
  refuseStale(tasks, root, places, taken);
}
