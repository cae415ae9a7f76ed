/** Runs the stage extract in this process, for benchmarks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Uint16, Uint32, Utf8 } from "apache-arrow";
import stage from "../stages/extract/stage.ts";
import { bytesColumn, createTable } from "../stages/shared/artifacts/arrow.ts";
import { readImageList, readPixels } from "../stages/shared/artifacts/images.ts";
import { readVectors } from "../stages/shared/artifacts/vectors.ts";
import type { Backbone } from "../stages/shared/backbone.ts";
import { random } from "../stages/shared/compute/random.ts";

export interface Extraction {
  images: string;
  model: string;
  backbone: { name: string; part: Backbone };
  size: number;
  batch: number;
  threads: number;
}

/** A folder that is gone when the process ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "deephash-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Batches that warm the network up: they are not counted. */
const WARM = 2;

/** Runs the stage on the CPU. @returns its rate once it is warm, and what it made */
export async function extract(run: Extraction, folder: string) {
  const notes: Record<string, unknown> = {};
  const marks: { done: number; time: number; cpu: number }[] = [];
  const features = join(folder, "features.arrow");
  await stage.run({
    params: { size: run.size, device: "cpu", batch: run.batch, flip: false, seed: 1 },
    parts: { backbone: { ...run.backbone, params: {} } },
    inputs: { images: run.images, model: run.model },
    upstream: [],
    sources: {},
    outputs: { features },
    id: "extract",
    point: {},
    cpus: run.threads,
    downloads: { kept: join(folder, "downloads") },
    progress: (done) => marks.push({ done, time: performance.now(), cpu: cpuMilliseconds() }),
    log: () => {},
    warn: (line) => console.error(line),
    endProcess() {},
    note: (name, value) => {
      notes[name] = value;
    },
    signal: new AbortController().signal,
  });
  const { dim, rows } = readVectors(features);
  const [from, to] = [marks[WARM - 1], marks.at(-1)!];
  if (!from || from === to)
    throw new Error(`too few images: ${marks.length} batches, more than ${WARM} are needed`);
  const cpuPerImage = (to.cpu - from.cpu) / (to.done - from.done);
  const imagesPerSecond = ((to.done - from.done) * 1000) / (to.time - from.time);
  return { dim, rows, tensor: String(notes.feature_tensor), imagesPerSecond, cpuPerImage };
}

/** The CPU time that this process has used on all cores. */
export const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Most memory this process ever held, in megabytes. */
export const peakMegabytes = (): number => Math.round(process.resourceUsage().maxRSS / 1024);

/** Writes the first `count` images of a table, or as many random ones of 32 x 32 pixels, into one table. */
export async function someImages(from: string | undefined, count: number, path: string): Promise<string> {
  const { height, width, channels, classes, labels } = from
    ? await readImageList(from)
    : { height: 32, width: 32, channels: 3, classes: ["none"], labels: new Uint16Array(count) };
  const size = height * width * channels;
  const table = createTable(
    path,
    "images",
    { id: new Uint32(), split: new Utf8(), label: new Uint16(), pixels: bytesColumn(size) },
    { dataset: "bench", classes, height, width, channels },
  );
  let written = 0;
  const write = (pixels: Uint8Array) => {
    const rows = pixels.length / size;
    const id = Uint32Array.from({ length: rows }, (_, row) => written + row);
    const label = labels.subarray(written, written + rows);
    table.write(rows, { id, split: Array(rows).fill("train"), label, pixels });
    written += rows;
  };
  if (from) {
    for await (const { pixels } of readPixels(from, 1000)) {
      write(pixels.subarray(0, (count - written) * size));
      if (written === count) break;
    }
  } else {
    const draw = random(1, "pixels");
    write(Uint8Array.from({ length: count * size }, () => draw.int(256)));
  }
  table.close();
  return path;
}
