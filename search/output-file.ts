/** A file that a person names for the result of a command. Nothing of theirs is replaced unasked. */
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { isFolder, isWithin, realPlace, scratchName } from "../runner/files/index.ts";
import { UserError } from "../runner/stage.ts";
import { shown } from "../stages/shared/text.ts";

/** A file to write. */
export interface OutputFile {
  /** The option that named it, with its command: "export: --out". */
  option: string;
  path: string;
  /** Whether a file that is there may be replaced. @param path of it, without links */
  replaces(path: string): boolean;
  /** The next step where it may not. */
  otherwise: string;
  /** A folder whose files are known one by one: another file in it would be a fault. */
  apart?: string;
}

/** Where a file goes. */
interface Place {
  /** Without links. */
  path: string;
  /** The mode of the file that it replaces. */
  mode?: number;
  /** Whether it is a pipe or a device, which is written to as it is. */
  special?: boolean;
}

/** @throws UserError where the file cannot be, or where something is that may not be replaced */
export function placeOf({ option, path, replaces, otherwise, apart }: OutputFile): Place {
  const refuse = (message: string): never => {
    throw new UserError(`${option} ${shown(path)}${message}`);
  };
  const ofIndex =
    " is in the folder of the index, which holds nothing but its own files. Name a file elsewhere.";
  const folder = dirname(path);
  if (!isFolder(folder))
    refuse(
      isFolder(folder) === false
        ? `: ${shown(folder)} is a file, not a folder. Name a file in a folder.`
        : `: no folder ${shown(folder)} can be found. Make it, or name a file in another.`,
    );
  const inFolder = join(realpathSync(folder), basename(path)); // where a link itself is, not its target
  const isOfIndex = (file: string) => apart !== undefined && isWithin(file, realPlace(apart));
  if (isOfIndex(inFolder)) refuse(ofIndex);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const there = stats?.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : stats;
  if (stats && !there) refuse(" is a link to nothing. Name another file.");
  if (there?.isDirectory()) refuse(" is a folder. Name a file.");
  if (there && !there.isFile()) return { path, special: true };
  const file = there ? realpathSync(path) : inFolder;
  if (isOfIndex(file)) refuse(ofIndex);
  if (there && !replaces(file)) refuse(` is there already. ${otherwise}`);
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch {
    refuse(`: the folder ${shown(dirname(file))} cannot be written to. Name a file in another.`);
  }
  return { path: file, mode: there && there.mode & 0o777 };
}

function writeAll(
  path: string,
  flags: string,
  mode: number | undefined,
  pieces: Iterable<string | Buffer>,
): void {
  const file = openSync(path, flags, mode);
  try {
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a file in one step: others see it whole or not at all.
 * @throws UserError as {@link placeOf}, and where the disk refuses it
 */
export function writeWhole(output: OutputFile, pieces: Iterable<string | Buffer>): void {
  const { path, mode, special } = placeOf(output);
  const scratch = join(dirname(path), scratchName("output"));
  try {
    if (special) writeAll(path, "w", undefined, pieces);
    else {
      writeAll(scratch, "wx", mode, pieces);
      // Once more: making it took its time.
      if (placeOf(output).path !== path) throw new Error("its link was turned meanwhile");
      renameSync(scratch, path);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${output.option} ${shown(output.path)}: cannot be written (${(error as Error).message}).`,
    );
  } finally {
    rmSync(scratch, { force: true });
  }
}
