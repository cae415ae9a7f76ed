/** The entries of a shared cache: their names, their sizes, and their bytes on the way. */
import { createHash } from "node:crypto";
import type { WriteStream } from "node:fs";
import type { Readable } from "node:stream";
import type { StoredOutput } from "../store/index.ts";
import { Unusable } from "./place.ts";

/** The longest record in bytes; reading ends there. */
export const RECORD_BYTES = 16 << 20;

export const recordName = (key: string): string => `records/${key}.json`;
export const objectName = (hash: string): string => `objects/${hash.slice(0, 2)}/${hash}`;

/** The pieces of a stream, each of which is told. @throws Unusable beyond `most` bytes */
export async function* metered(
  stream: Readable,
  moved: () => void,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of stream) {
    moved();
    bytes += piece.length;
    if (bytes > most) throw new Unusable(`is longer than ${most} bytes`);
    yield piece as Buffer;
  }
}

/** The pieces of the content. @throws Unusable before the last one when their hash is another */
export async function* hashed(stream: AsyncIterable<Buffer>, hash: string): AsyncGenerator<Buffer> {
  const sum = createHash("sha256");
  let last: Buffer | undefined;
  for await (const piece of stream) {
    sum.update(piece);
    if (last) yield last;
    last = piece;
  }
  if (sum.digest("hex") !== hash) throw new Unusable("was written to while it was sent");
  if (last) yield last;
}

/** All objects of outputs, each with the most bytes that it can have: no more than all of its output. */
export function sizesOf(outputs: StoredOutput[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { hash, bytes, files } of outputs)
    for (const one of files?.map(([, hash]) => hash) ?? [hash])
      sizes.set(one, Math.min(bytes, sizes.get(one) ?? bytes));
  return sizes;
}

/** Waits for the end of a file's stream: one that is still being opened would create its file after the removal. */
export const closed = async (file: WriteStream): Promise<void> => {
  file.destroy();
  if (!file.closed) await new Promise<void>((resolve) => file.once("close", () => resolve()));
};
