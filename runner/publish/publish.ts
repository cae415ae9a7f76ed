/** Copies of outputs where people look: reports/. Whose files may go for them is for published.ts to say. */
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratchName, sweep, sync } from "../files/index.ts";
import { type Plan, placeOf, realPath, type Task } from "../plan/index.ts";
import { UserError } from "../stage.ts";
import type { StageRecord, Store, StoredOutput } from "../store/index.ts";
import { hasContent, isFile, PublishedFolder } from "./published.ts";

/** In the place of a hash, while what a clock wrote is copied for the first time. */
const NOT_YET = "0".repeat(64);

/** One file of an output, where it is published. */
interface Copy {
  output: StoredOutput;
  /** From the published folder. */
  path: string;
  object: string;
  hash: string;
  measured: boolean;
  mode: number;
}

/** All files of a task's outputs. */
function copiesOf(task: Task, record: StageRecord, store: Store): Copy[] {
  return Object.entries(task.outputs).flatMap(([name, { path, measured }]) => {
    const output = record.outputs[name];
    return store.filesOf(output).map(([file, object, hash], index) => ({
      output,
      path: placeOf(join(path, file)),
      object,
      hash,
      measured,
      mode: output.files?.[index][2] ? 0o755 : 0o644,
    }));
  });
}

/**
 * Whether a file is to be copied: it has another content, or, where a clock wrote it, is not there or was published
 * from another run of its stage. A clock's words alone are no reason to fetch an object, or to make it again.
 */
function isDue({ path, object, hash, measured }: Copy, folder: PublishedFolder): boolean {
  const at = join(folder.path, path);
  if (measured && isFile(at) && (folder.hashOf(path) === hash || !existsSync(object))) return false;
  return !hasContent(at, hash);
}

/** Copies a file to a published folder in one step: nobody ever finds half of it. */
function copy({ object, path, mode, measured }: Copy, folder: PublishedFolder): void {
  const to = join(folder.path, path);
  const half = join(folder.path, scratchName("publish")); // a longer name may be too long
  mkdirSync(dirname(to), { recursive: true });
  folder.clear(path);
  try {
    copyFileSync(object, half, constants.COPYFILE_EXCL);
    chmodSync(half, mode);
    if (measured) sync(half); // isDue trusts the list for it, and reads no content
    renameSync(half, to);
    if (measured) sync(dirname(to));
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/** A task whose result is known, and what of its files is to be copied. */
interface Part {
  task: Task;
  due: Copy[];
  /** Files that have the content of their output already. */
  same: Copy[];
  /** The person's file or folder in its way, in words; "" for none. */
  obstacle: string;
}

/** The steps of publishing to one folder. */
class Publication {
  private readonly folder: PublishedFolder;
  private readonly parts: Part[] = [];
  private readonly made = new Set<string>();
  /** The ids of the tasks, and the places of their outputs: whose files may be removed. */
  private readonly ids = new Set<string>();
  private readonly places = new Set<string>();

  constructor(folder: PublishedFolder) {
    this.folder = folder;
  }

  add(task: Task, record: StageRecord, store: Store): void {
    const copies = copiesOf(task, record, store);
    const due = copies.filter((one) => isDue(one, this.folder));
    const same = copies.filter(
      (one) =>
        !due.includes(one) && (!one.measured || hasContent(join(this.folder.path, one.path), one.hash)),
    );
    this.parts.push({ task, same, due, obstacle: "" });
    for (const { path } of copies) this.made.add(path);
    this.ids.add(task.id);
    for (const { path } of Object.values(task.outputs)) this.places.add(placeOf(path));
  }

  /** Listed files that these tasks no longer make. */
  private stale(): string[] {
    const inPlace = (path: string): boolean =>
      path !== "." && (this.places.has(path) || inPlace(dirname(path)));
    return this.folder
      .entries()
      .filter(([path, by]) => !this.made.has(path) && (this.ids.has(by) || inPlace(path)))
      .map(([path]) => path);
  }

  /**
   * Lists what it is about to write, so that a run that is killed leaves nothing unlisted; then removes, then copies.
   * A task that has something in its way is left out.
   * @returns whether a file changed, and the tasks left out
   */
  carryOut(): { changed: boolean; refused: Part[] } {
    const { folder } = this;
    const stale = this.stale();
    const gone = new Set(stale.filter((path) => folder.isUnchanged(path)));
    for (const part of this.parts)
      for (const { path } of part.due)
        part.obstacle ||= folder.obstacle(path, part.task.id, (at) => gone.has(at));
    const parts = this.parts.filter(({ obstacle }) => !obstacle);
    const list = (hashOf: (one: Copy) => string) => {
      for (const { task, same, due } of parts) {
        for (const { path, hash, measured } of same) folder.list(path, task.id, hash, measured);
        for (const one of due) folder.list(one.path, task.id, hashOf(one), one.measured);
      }
      folder.save();
    };
    sweep(folder.path);
    // Measured files keep their old hash meanwhile: if this is killed, the next run copies them by it.
    list(({ path, hash, measured }) => (measured ? (folder.hashOf(path) ?? NOT_YET) : hash));
    // A stale file that was changed is the person's own by now.
    for (const path of stale) if (!gone.has(path)) folder.forget(path);
    for (const path of gone) folder.remove(path);
    for (const one of parts.flatMap(({ due }) => due)) copy(one, folder);
    list(({ hash }) => hash);
    const changed = gone.size > 0 || parts.some(({ due }) => due.length > 0);
    return { changed, refused: this.parts.filter(({ obstacle }) => obstacle) };
  }
}

const refused = (task: Task, obstacle: string) =>
  new UserError(
    `${task.at("publish")} ${task.stage}.publish: ${obstacle}. Move it away, or name another folder.`,
  );

/**
 * Refuses to publish where something of a person's is in the place of an output: asked before anything runs.
 * @throws UserError with file:line:column
 */
export function refuseObstacles(tasks: Task[], store: Store, root: string): void {
  const folders = new Map<string, PublishedFolder>();
  for (const task of tasks) {
    if (task.publish === undefined) continue;
    const folder = folders.get(task.publish) ?? new PublishedFolder(root, task.publish, store);
    folders.set(task.publish, folder);
    for (const { path } of Object.values(task.outputs)) {
      const obstacle = folder.obstacleAt(path, task.id);
      if (obstacle) throw refused(task, obstacle);
    }
  }
}

/** The error of a folder that nobody may write to, as one of the person's; others as they are. */
function told(error: NodeJS.ErrnoException, publish: string): Error {
  if (error.code !== "EACCES" && error.code !== "EPERM") return error;
  return new UserError(
    `${publish}: cannot be written to (${error.message}). Change its permissions and run again: the results are in the cache.`,
  );
}

/**
 * Copies what published stages made into their folders, where it differs.
 * @returns the folders in which something was written or removed
 * @throws UserError for the first stage that has something of a person's in its way, when all others are published
 */
export function publish(plan: Plan, store: Store, root: string): string[] {
  const names = new Map<string, string>();
  const publications = new Map<string, Publication>();
  for (const task of plan.tasks) {
    const { publish } = task;
    const state = plan.states.get(task.id)!;
    if (publish === undefined || (state.kind !== "hit" && state.kind !== "done")) continue;
    const path = realPath(join(root, publish));
    const known = publications.get(path) ?? new Publication(new PublishedFolder(root, publish, store));
    publications.set(path, known);
    names.set(path, names.get(path) ?? publish);
    known.add(task, state.record, store);
  }
  const left: Part[] = [];
  const changedFolders = [...publications].flatMap(([path, publication]) => {
    const name = names.get(path)!;
    try {
      const { changed, refused } = publication.carryOut();
      left.push(...refused);
      return changed ? [name] : [];
    } catch (error) {
      throw told(error as NodeJS.ErrnoException, name);
    }
  });
  if (left.length) throw refused(left[0].task, left[0].obstacle);
  return changedFolders;
}

/** The outputs of a published task that {@link publish} would have to copy out of the store. */
export function unpublished(task: Task, record: StageRecord, store: Store, root: string): StoredOutput[] {
  if (task.publish === undefined) return [];
  const folder = realPath(join(root, task.publish));
  const due = copiesOf(task, record, store).filter(({ path, hash, measured }) =>
    measured ? !isFile(join(folder, path)) : !hasContent(join(folder, path), hash),
  );
  return [...new Set(due.map(({ output }) => output))];
}

/** The objects that a published task needs in the store, for {@link publish}, and that are missing. */
export interface Missing {
  id: string;
  record: StageRecord;
  outputs: StoredOutput[];
  /** The first fault of these outputs. */
  fault: string;
}

/** The objects that published stages need in the store, for {@link publish}. */
export function missingForPublish(plan: Plan, store: Store, root: string): Missing[] {
  return plan.tasks.flatMap((task): Missing[] => {
    const state = plan.states.get(task.id)!;
    if (state.kind !== "hit") return [];
    const { record } = state;
    const found = unpublished(task, record, store, root).map(
      (output) => [output, store.faultOf(output)] as const,
    );
    const lacking = found.filter(([, fault]) => fault);
    if (lacking.length === 0) return [];
    return [{ id: task.id, record, outputs: lacking.map(([output]) => output), fault: lacking[0][1] }];
  });
}
