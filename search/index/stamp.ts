/** The stamp of an image file, by which an unchanged one is recognised. */
import { statSync } from "node:fs";
import { hashFile } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import { shown } from "../../stages/shared/text.ts";

/** A file that changed this short a time ago may change again with the same time: some disks count in 2 s. */
const RECENT_MILLISECONDS = 2000;

/** The file of an image when it was encoded. */
export interface Stamp {
  bytes: number;
  /** When it was changed last, in milliseconds; 0 where that was too recent to tell a later change. */
  modified: number;
  sha256: string;
}

/** Size and time of a file, by which an unchanged one is known without reading it. */
export function sizeAndTime(path: string): Pick<Stamp, "bytes" | "modified"> {
  const { size, mtimeMs, ctimeMs } = statSync(path);
  const isRecent = Date.now() - Math.max(mtimeMs, ctimeMs) < RECENT_MILLISECONDS;
  return { bytes: size, modified: isRecent ? 0 : mtimeMs };
}

/** Reads a file for its stamp. @throws UserError when it cannot be read */
export function stampOf(path: string): Stamp {
  try {
    return { ...sizeAndTime(path), sha256: hashFile(path) };
  } catch (error) {
    throw new UserError(shown(`${path}: unreadable (${(error as Error).message}).`));
  }
}
