/** Regular files alone: a pipe would hang its reader for good, and a link may name any file of the machine. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { UserError } from "../stage.ts";

/** Opening a pipe for reading waits for a writer, unless it is told not to. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const READ_NO_LINK = READ | (constants.O_NOFOLLOW ?? 0);

const refusal = (path: string) =>
  new UserError(`${path}: is no regular file (a folder, link, pipe or device). Remove it or name another.`);

/** The error of an open that met a link, in the words of {@link refusal}. */
const told = (error: unknown, path: string): unknown =>
  ["ELOOP", "EMLINK", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? "") ? refusal(path) : error;

/**
 * Opens a regular file to read it, through links. The caller closes it.
 * @throws UserError for a folder, pipe, socket or device
 */
export function openRegular(path: string, flags = READ): number {
  let file: number;
  try {
    file = openSync(path, flags);
  } catch (error) {
    throw told(error, path);
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw refusal(path);
}

/**
 * The text of a file that this tool wrote itself: of a regular one, no link.
 * @throws UserError for anything else
 */
export function readOwn(path: string): string {
  const file = openRegular(path, READ_NO_LINK);
  try {
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Opens a regular file that is no link, for a stream. @throws UserError for anything else */
export async function openPlain(path: string) {
  const file = await open(path, READ_NO_LINK).catch((error) => {
    throw told(error, path);
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw refusal(path);
}
