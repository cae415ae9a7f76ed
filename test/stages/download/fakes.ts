/** Small data sets in the forms that are published, and how the stage is run on them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { UserError } from "../../../runner/stage.ts";
import { readTable, texts } from "../../../stages/shared/artifacts/arrow.ts";
import { runStage } from "../../run-stage.ts";
import { put } from "../shared/scratch.ts";

/** A row of a CIFAR file: label bytes, then planes of red, green and blue. */
export const cifarRow = (labels: number[], pixel: (channel: number, at: number) => number): Buffer =>
  Buffer.from([...labels, ...Array.from({ length: 3072 }, (_, i) => pixel(i >> 10, i & 1023) & 255)]);

/** A .tar.gz with these files in a folder, as it is in `folder`. @returns its sha256 */
export async function archive(
  folder: string,
  name: string,
  files: Record<string, Uint8Array>,
): Promise<{ path: string; sha256: string; bytes: Buffer }> {
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(join(folder, "batches", dirname(file)), { recursive: true });
    writeFileSync(join(folder, "batches", file), bytes);
  }
  const packed = create(
    { cwd: folder, gzip: true, sync: true },
    Object.keys(files).map((file) => `batches/${file}`),
  );
  const bytes = Buffer.from((packed as unknown as { read(): Buffer }).read());
  return { ...put(folder, name, bytes), bytes };
}

/** An IDX file, gzipped. */
export function idx(sizes: number[], bytes: ArrayLike<number>, magic = 0x0800 + sizes.length): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.writeUInt32BE(magic);
  for (const [i, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return gzipSync(Buffer.concat([head, Uint8Array.from(bytes)]));
}

/** Runs the stage on a mirror folder. */
export function download(mirror: string, dataset: unknown, inputs: Record<string, string> = {}) {
  const downloads = { kept: join(mirror, "no-cache", "downloads"), mirror };
  return runStage("download", { params: { dataset }, inputs, downloads });
}

/** All images of a table. */
export function imagesOf(path: string) {
  const table = readTable(path, "images");
  const pixels = [...table.getChild("pixels")!].map((row) => [...(row as Uint8Array)]);
  const splits = texts(table, "split");
  return [...table].map(({ id, label }, row) => ({ id, label, split: splits[row], pixels: pixels[row] }));
}

/** The one line a user is told. @throws when nothing, or no UserError, is thrown */
export async function fault(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  if (!(error instanceof UserError)) throw error;
  if (error.message.includes("\n")) throw new Error(`more than one line: ${error.message}`);
  return error.message;
}
