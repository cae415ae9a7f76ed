/** The binary layout of CIFAR-10 and CIFAR-100, out of their archives. Krizhevsky 2009. */
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Parser } from "tar";
import { UserError } from "../../runner/stage.ts";
import type { ImageRow } from "./dataset.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;

/** All files of a .tar.gz whose base name is wanted, whole. @throws UserError when it is broken off */
export async function readArchive(
  path: string,
  wanted: string[],
  signal: AbortSignal,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      const name = basename(entry.path);
      if (!wanted.includes(name)) {
        entry.resume();
        return;
      }
      const chunks: Buffer[] = [];
      entry.on("data", (chunk: Buffer) => chunks.push(chunk));
      entry.on("end", () => found.set(name, Buffer.concat(chunks)));
    },
  });
  try {
    await pipeline(createReadStream(path), createGunzip(), parser as never, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(`${path}: broken off or no .tar.gz (${(error as Error).message}). Fetch it again.`);
  }
  for (const name of wanted)
    if (!found.has(name))
      throw new UserError(`${path}: holds no file ${name}. Is it the binary version of the data set?`);
  return found;
}

/** The layout of one file: label bytes, then 3072 bytes in planes of red, green, blue. */
export interface Layout {
  /** Label bytes a row. */
  labels: number;
  /** Which of them counts. */
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
