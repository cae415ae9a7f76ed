/** The binary layout of CIFAR-10 and CIFAR-100, out of their archives. Krizhevsky 2009. */
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Parser } from "tar";
import { UserError } from "../../runner/stage.ts";
import type { ImageRow } from "./dataset.ts";
import { unpacked } from "./unpack.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;

/** Bytes of an archive beside the files that are wanted: a page to read, lists of names, what tar adds. */
const BESIDE = 2 ** 24;

/** Bytes of so many rows, with `labels` label bytes each. */
export const bytesOf = (rows: number, labels: number): number => rows * (labels + 3 * PLANE);

/**
 * All files of a .tar.gz whose base name is wanted, whole.
 * @param wanted bytes that each file may have, by its name
 * @throws UserError when the archive is truncated, lacks a file, or holds more than these
 */
export async function readArchive(
  path: string,
  wanted: Map<string, number>,
  signal: AbortSignal,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      const name = basename(entry.path);
      if (!wanted.has(name)) {
        entry.resume();
        return;
      }
      const chunks: Buffer[] = [];
      entry.on("data", (chunk: Buffer) => chunks.push(chunk));
      entry.on("end", () => found.set(name, Buffer.concat(chunks)));
    },
  });
  const most = [...wanted.values()].reduce((sum, bytes) => sum + bytes, BESIDE);
  try {
    await pipeline(
      Readable.from(unpacked(path, ".tar.gz", () => most)), // tar's parser takes a stream, not a generator
      parser as never,
      { signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: truncated or no .tar.gz (${(error as Error).message}). Fetch it again.`);
  }
  for (const [name, bytes] of wanted) {
    const file = found.get(name);
    if (!file)
      throw new UserError(`${path}: holds no file ${name}. Is it the binary version of the data set?`);
    if (file.length > bytes)
      throw new UserError(
        `${path}: ${name} has ${file.length} bytes, more than the ${bytes} of the data set.`,
      );
  }
  return found;
}

/** The layout of one file: label bytes, then 3072 bytes in planes of red, green, blue. */
export interface Layout {
  /** Label bytes a row. */
  labels: number;
  /** The one of them that counts. */
  label: number;
  classes: number;
}

/** The rows of one file, pixels turned from planes to HWC. @throws UserError at a label outside the classes */
export function* cifarRows(
  name: string,
  bytes: Buffer,
  layout: Layout,
  split: "train" | "test",
  firstId: number,
): Generator<ImageRow> {
  const rowBytes = layout.labels + 3 * PLANE;
  if (bytes.length % rowBytes !== 0)
    throw new UserError(
      `${name}: ${bytes.length} bytes are no whole number of rows of ${rowBytes}. Is the archive whole?`,
    );
  for (let row = 0; row < bytes.length / rowBytes; row++) {
    const at = row * rowBytes;
    const label = bytes[at + layout.label];
    if (label >= layout.classes)
      throw new UserError(
        `${name}: row ${row} has label ${label}, but there are ${layout.classes} classes (0 to ${layout.classes - 1}).`,
      );
    const pixels = new Uint8Array(3 * PLANE);
    for (let i = 0; i < PLANE; i++)
      for (let channel = 0; channel < 3; channel++)
        pixels[3 * i + channel] = bytes[at + layout.labels + channel * PLANE + i];
    yield { id: firstId + row, split, label, pixels };
  }
}
