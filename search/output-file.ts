/** A file that a person names for the result of a command. Nothing of theirs is replaced unasked. */
import { closeSync, lstatSync, openSync, realpathSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isFolder, scratchName } from "../runner/files/index.ts";
import { UserError } from "../runner/stage.ts";
import { shown } from "../stages/shared/text.ts";
import { isWithin } from "./index/place.ts";

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

/**
 * The path where a file is to be written: that of the file which a link leads to, so that the link stays.
 * @throws UserError where it cannot be, or where something is that may not be replaced
 */
export function placeOf({ option, path, replaces, otherwise, apart }: OutputFile): string {
  const refuse = (message: string): never => {
    throw new UserError(`${option} ${shown(path)}${message}`);
  };
  const folder = dirname(path);
  if (!isFolder(folder))
    refuse(
      isFolder(folder) === false
        ? `: ${shown(folder)} is a file, not a folder. Name a file in a folder.`
        : `: there is no folder ${shown(folder)}. Make it, or name a file in another.`,
    );
  const inFolder = join(realpathSync(folder), basename(path));
  if (apart !== undefined && isWithin(inFolder, realpathSync(apart)))
    refuse(" is in the folder of the index, which holds nothing but its own files. Name a file elsewhere.");
  if (!lstatSync(path, { throwIfNoEntry: false })) return inFolder;
  const there = isFolder(path);
  if (there === undefined) refuse(" is a link to nothing. Name another file.");
  if (there) refuse(" is a folder. Name a file.");
  const file = realpathSync(path);
  if (!replaces(file)) refuse(` is there already. ${otherwise}`);
  return file;
}

/** Writes a file in one step: others see it whole or not at all. @throws UserError as {@link placeOf} */
export function writeWhole(output: OutputFile, pieces: Iterable<string | Buffer>): void {
  const path = placeOf(output);
  const scratch = join(dirname(path), scratchName("output"));
  try {
    const file = openSync(scratch, "wx");
    try {
      for (const piece of pieces) {
        const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      }
    } finally {
      closeSync(file);
    }
    placeOf(output); // once more: making it took its time
    renameSync(scratch, path);
  } finally {
    rmSync(scratch, { force: true });
  }
}
