/** The files below a path, as a stage sees them: regular files, folders, and links to these. */
import {
  accessSync,
  constants,
  type Dirent,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { join, relative, sep } from "node:path";
import { UserError } from "../stage.ts";

export interface TreeFile {
  /** From the folder, with "/"; "" for a path that is a file itself. */
  path: string;
  absolute: string;
  /** Of the file itself, where `absolute` is a link. */
  stats: Stats;
}

export interface Tree {
  /** Whether the path is a folder. */
  folder: boolean;
  /** In order of path. */
  files: TreeFile[];
  /** Folders that hold nothing, in order of path. */
  empty: string[];
  /** Links to a folder that is listed already, under the second path: its files are not listed again. */
  again: [path: string, listed: string][];
  /** Every folder that was listed, by its real path. */
  folders: string[];
  /** Every link that was met, absolute. */
  links: string[];
  /** The entries that cannot be read, and why; only where they are skipped. */
  unread: [path: string, why: string][];
}

/** Whether the owner may execute a file. */
export const isExecutable = ({ mode }: Stats): boolean => (mode & 0o100) !== 0;

/** A path as messages show it: from the working directory, where it is below that. */
const shownPath = (path: string): string => {
  const below = relative(process.cwd(), path);
  return below.startsWith("..") || below === "" ? path : below;
};

/** The word for something that is neither a file nor a folder. */
function kindOf(found: Stats | Dirent): string {
  if (found.isFIFO()) return "a named pipe";
  if (found.isSocket()) return "a socket";
  return found.isBlockDevice() || found.isCharacterDevice() ? "a device" : "of a kind that holds no data";
}

/** @throws UserError for anything but a file or a folder: reading it could wait for ever, or never end */
export function refuse(found: Stats | Dirent, shown: string): never {
  throw new UserError(`${shown} is ${kindOf(found)}. Only regular files and folders count: remove it.`);
}

/**
 * Runs `read`; what it refuses, or is not permitted, is noted where that is passed over.
 * @param below the path that it reads
 */
function attempt<T>(tree: Tree, tolerant: boolean, below: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const why = error instanceof UserError ? "refused" : (error as NodeJS.ErrnoException).code;
    if (!tolerant || why === undefined || below === "") throw error;
    tree.unread.push([below, why]);
    return undefined;
  }
}

/** The entries of a folder in order of name. @throws UserError for a name that is no UTF-8, unless tolerant */
export function entriesOf(folder: string, shown: string, tolerant = false): Dirent[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (!tolerant && entries.some(({ name }) => name.includes("\ufffd")))
    for (const name of readdirSync(folder, { encoding: "buffer" }))
      if (!Buffer.from(name.toString()).equals(name))
        throw new UserError(
          `${shown} holds a file whose name is not UTF-8 ("${name.toString()}"). Rename it: records hold text.`,
        );
  return entries.sort(({ name: a }, { name: b }) => (a < b ? -1 : 1));
}

/** The stat of the target of a link, or of a path through links. @throws UserError for a dangling link */
function follow(path: string, shown: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP") throw new UserError(`${shown} is a link that leads back to itself. Remove it.`);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    let target: string;
    try {
      target = readlinkSync(path);
    } catch {
      throw new UserError(`${shown} is not there.`);
    }
    throw new UserError(
      `${shown} is a link to ${target}, which is not there. Restore that, or remove the link.`,
    );
  }
}

/**
 * Lists the files at a path. A link counts as the file or folder that it points to. Each folder is listed once, known by its
 * real path: another link to it, or one back to a folder above itself, counts as a link to the first. So a cycle
 * ends, and the listing still tells all that can be seen through it.
 * @param shown how messages name the path
 * @param tolerant notes in `unread` what would be refused below the path, and a link to a folder that holds the path
 * @throws UserError for a named pipe, a socket, a device, a broken link, or a name that is no UTF-8
 */
export function treeOf(path: string, shown = shownPath(path), tolerant = false): Tree {
  const tree: Tree = { folder: false, files: [], empty: [], again: [], folders: [], links: [], unread: [] };
  const listed = new Map<string, string>();
  const take = (entry: Dirent, absolute: string, below: string, real: string): void => {
    const name = join(shown, below);
    if (entry.isSymbolicLink()) tree.links.push(absolute);
    else if (entry.isDirectory()) {
      visit(absolute, below, join(real, entry.name));
      return;
    } else if (!entry.isFile()) refuse(entry, name);
    const stats = follow(absolute, name);
    if (stats.isDirectory()) visit(absolute, below, realpathSync(absolute));
    else if (!stats.isFile()) refuse(stats, name);
    else {
      if (tolerant) accessSync(absolute, constants.R_OK);
      tree.files.push({ path: below, absolute, stats });
    }
  };
  const visit = (absolute: string, below: string, real: string): void => {
    const first = listed.get(real);
    if (first !== undefined) {
      tree.again.push([below, first]);
      return;
    }
    if (tolerant && isAbove(real, tree.folders[0])) {
      tree.unread.push([below, "points to a folder that contains this one"]);
      return;
    }
    listed.set(real, below);
    const entries = attempt(tree, tolerant, below, () => entriesOf(absolute, join(shown, below), tolerant));
    if (!entries) return;
    tree.folders.push(real);
    if (entries.length === 0 && below) tree.empty.push(below);
    for (const entry of entries) {
      const next = below ? `${below}/${entry.name}` : entry.name;
      attempt(tree, tolerant, next, () => take(entry, join(absolute, entry.name), next, real));
    }
  };
  const stats = follow(path, shown);
  tree.folder = stats.isDirectory();
  if (tree.folder) visit(path, "", realpathSync(path));
  else if (stats.isFile()) tree.files.push({ path: "", absolute: path, stats });
  else refuse(stats, shown);
  tree.files.sort(({ path: a }, { path: b }) => (a < b ? -1 : 1));
  tree.empty.sort();
  return tree;
}

/** Whether a folder holds another one. */
const isAbove = (folder: string, other: string | undefined): boolean =>
  other?.startsWith(join(folder, sep)) === true;
