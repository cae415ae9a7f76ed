/**
 * An index of 1,000,000 made-up images: the time to write it, to add 100 images to it, to open it and to search it, and
 * the memory of each. Codes of 64 bits around 10,000 centres, and random ones, which have no near neighbours.
 *
 * `node bench/run.mjs large-index [IMAGES]`
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { TABLES } from "../search/front.ts";
import { addToIndex } from "../search/index/change.ts";
import { Rows, writeRows } from "../search/index/rows.ts";
import { Nearest } from "../search/nearest.ts";
import { openIndex } from "../search/opened.ts";
import { writeProjection } from "../stages/shared/artifacts/projection.ts";
import { random } from "../stages/shared/compute/random.ts";
import { contentOf, FILES, seal, UNSEALED } from "../stages/shared/search-index.ts";
import { tinyNetwork } from "../test/stages/extract/onnx-model.ts";

const [BITS, CENTRES, CLASSES, ADDED, SIDE, QUERIES] = [64, 10_000, 100, 100, 32, 1000];
/** Around a centre, the noise is this share of its values. */
const NOISE = 0.35;
const KINDS = ["clustered", "random"] as const;
type Kind = (typeof KINDS)[number];

const seconds = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`;
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
const peak = () => `peak ${megabytes(1024 * process.resourceUsage().maxRSS)}`;

/** Gives one image after the other its values. */
function valuesOf(kind: Kind): () => Float32Array {
  const draw = random(1, kind);
  const around = () => draw.float() - 0.5;
  const centres = Float32Array.from({ length: CENTRES * BITS }, around);
  return () => {
    const from = draw.int(CENTRES) * BITS;
    return Float32Array.from({ length: BITS }, (_, bit) =>
      kind === "random" ? around() : centres[from + bit] + NOISE * around(),
    );
  };
}

/** Writes the index as `index FOLDER` does when all images are encoded. */
async function write(folder: string, photos: string, images: number, kind: Kind): Promise<void> {
  const began = performance.now();
  const classNames = Array.from({ length: CLASSES }, (_, at) => `class-${at}`);
  const valuesOfNext = valuesOf(kind);
  const rows = Rows.empty(BITS, images);
  for (let row = 0; row < images; row++) {
    const content = contentOf(new Uint8Array(Uint32Array.of(row).buffer));
    const name = classNames[row % CLASSES];
    rows.add(
      { root: 0, name: `${name}/IMG_${String(row).padStart(7, "0")}.jpg`, class: name },
      {
        bytes: 100_000 + row,
        modified: 1.7e12 + row,
        sha256: Buffer.from(content).toString("hex").repeat(2),
      },
      content,
    );
    rows.encode(valuesOfNext());
  }
  const data = join(folder, UNSEALED);
  mkdirSync(data, { recursive: true });
  const draw = random(2, "network");
  const kernel = Float32Array.from({ length: BITS * 27 }, () => draw.normal() / 5);
  writeFileSync(
    join(data, FILES.backbone),
    tinyNetwork({ kernel, bias: new Float32Array(BITS), filters: BITS }),
  );
  const weights = Float32Array.from({ length: BITS * BITS }, () => draw.normal());
  writeProjection(join(data, FILES.projection), {
    weights,
    offset: new Float32Array(BITS),
    bits: BITS,
    dim: BITS,
  });
  const classes = writeRows(data, rows);
  await seal(folder, {
    backbone: { name: "resnet18", mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    views: [{ size: SIDE, flip: false }],
    image: { height: SIDE, width: SIDE, channels: 3 },
    head: false,
    bits: BITS,
    classes,
    images,
    roots: [{ path: photos }],
  });
  const sizes = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) =>
    statSync(join(folder, file)),
  );
  const size = sizes.reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
  console.log(`  written in ${seconds(began)}, ${megabytes(size)} on disk, ${peak()}`);
}

async function add(folder: string, photos: string): Promise<void> {
  const draw = random(3, "photos");
  mkdirSync(photos);
  for (let image = 0; image < ADDED; image++) {
    const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => draw.int(256));
    await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }).toFile(
      join(photos, `${image}.png`),
    );
  }
  const began = performance.now();
  await addToIndex(folder, [photos], [], photos);
  console.log(`  ${ADDED} images added in ${seconds(began)}, ${peak()}`);
}

async function search(folder: string): Promise<void> {
  const began = performance.now();
  const index = await openIndex(folder);
  const nearest = new Nearest(index);
  console.log(`  opened in ${seconds(began)}, ${megabytes(process.memoryUsage().rss)}, ${peak()}`);
  const draw = random(4, "queries");
  const times = (order: "bits" | "outputs", count: number, labels?: Set<number>) =>
    Array.from({ length: count }, () => {
      const row = draw.int(index.codes.rows);
      const start = performance.now();
      nearest.like(row, { top: 10, order, labels });
      return performance.now() - start;
    }).sort((a, b) => a - b);
  const told = (all: number[]) =>
    `p50 ${all[all.length >> 1].toFixed(2)} ms, p99 ${all[Math.ceil(0.99 * all.length) - 1].toFixed(2)} ms`;
  console.log(`  the first search: ${times("bits", 1)[0].toFixed(1)} ms`);
  console.log(`  by the scan: ${told(times("bits", 500))}`);
  console.log(`  of one class: ${told(times("bits", 100, new Set([1])))}`);
  const making = times("bits", TABLES.searches - 501).at(-1)!;
  console.log(
    `  the tables are made in ${(making / 1000).toFixed(1)} s; then ${told(times("bits", QUERIES))}`,
  );
  console.log(`  by the outputs: ${told(times("outputs", 10))}`);
  console.log(`  ${megabytes(process.memoryUsage().rss)}`);
}

async function main(): Promise<void> {
  const [part, folder, kind] = process.argv.slice(2);
  if (part === "add") return add(folder, join(folder, "../added"));
  if (part === "search") return search(folder);
  if (part === "write") return write(folder, "/photos", Number(process.argv[5]), kind as Kind);
  const images = Number(part ?? 1_000_000);
  for (const kind of KINDS) {
    const at = mkdtempSync(join(tmpdir(), "deephash-large-index-"));
    console.log(`${images} images, ${kind} codes of ${BITS} bits`);
    try {
      // Each in a process of its own, for its memory.
      for (const step of ["write", "search", "add"])
        spawnSync(
          process.execPath,
          ["bench/run.mjs", "large-index", step, join(at, "index"), kind, String(images)],
          {
            stdio: ["ignore", "inherit", "inherit"],
          },
        );
    } finally {
      rmSync(at, { recursive: true, force: true });
    }
  }
}

await main();
