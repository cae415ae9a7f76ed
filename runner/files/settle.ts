/** Makes an output of files and folders alone that nobody else has a hand on. */
import { chmodSync, constants, copyFileSync, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../stage.ts";
import { scratchName } from "./atomic.ts";
import { entriesOf, refuse, treeOf } from "./tree.ts";

const copyFile = (from: string, to: string): void => copyFileSync(from, to, constants.COPYFILE_FICLONE);

/** Puts a copy of all that a path shows in its place. */
function replaceByCopy(path: string, shown: string): void {
  const copy = `${path}${scratchName("")}`;
  const { folder, files, empty, again } = treeOf(path, shown);
  if (again.length)
    throw new UserError(`${shown} is a link to a folder that leads back into itself. Let it write files.`);
  if (!folder) copyFile(files[0].absolute, copy);
  else {
    mkdirSync(copy);
    for (const below of empty) mkdirSync(join(copy, below), { recursive: true });
    for (const { path: below, absolute } of files) {
      mkdirSync(dirname(join(copy, below)), { recursive: true });
      copyFile(absolute, join(copy, below));
    }
    rmSync(path); // a folder cannot replace a link in one step
  }
  renameSync(copy, path);
}

/** Bits that the owner of a file must have to read it, and of a folder to take its files out. */
const READ = 0o400;
const ALL = 0o700;

/**
 * Replaces every link in an output by a copy: a symbolic one, since it would lead nowhere once the scratch folder is
 * gone; a hard one, since the owner of its other name may write to it. The target of a link is left as it is. Lets the
 * owner read the files.
 * @param output its path; a "/" at its end is ignored, since with it a link would count as the folder that it points to
 * @throws UserError for a broken link, a cycle of links, a named pipe, a socket, a device, or a name that is no UTF-8
 */
export function settle(output: string, shown = `its output ${basename(output)}`): void {
  const path = resolve(output);
  const stats = lstatSync(path);
  const allow = (bits: number) => {
    if ((stats.mode & bits) !== bits) chmodSync(path, stats.mode | bits);
  };
  if (stats.isDirectory()) {
    allow(ALL);
    for (const { name } of entriesOf(path, shown)) settle(join(path, name), join(shown, name));
  } else if (stats.isSymbolicLink() || (stats.isFile() && stats.nlink > 1)) replaceByCopy(path, shown);
  else if (stats.isFile()) allow(READ);
  else refuse(stats, shown);
}
