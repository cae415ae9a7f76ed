/**
 * How fast the store hashes: one large file and many, read from the disk's cache, beside the bare hash over memory
 * on one core and on all of them, which is the limit. An argument is the number of megabytes (512).
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { hashFiles } from "../runner/files/hash.ts";
import { hashFile } from "../runner/files/statcache.ts";

const RUNS = 5;
const FILES = 16;
const megabytes = Math.ceil(Number(process.argv[2] ?? 512) / FILES) * FILES;
const cores = availableParallelism();

/** Hashes as many megabytes of memory as it is told, and answers when it is done. */
const BARE = `
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const piece = Buffer.alloc(1 << 20, 7);
parentPort.on("message", (megabytes) => {
  const hash = createHash("sha256");
  for (let done = 0; done < megabytes; done++) hash.update(piece);
  parentPort.postMessage(hash.digest("hex"));
});
`;

/** Megabytes a second of the fastest run: other work of the machine can only slow it. */
async function rate(work: () => unknown): Promise<number> {
  let best = 0;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    await work();
    best = Math.max(best, (megabytes * 1000) / (performance.now() - began));
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), "deephash-bench-"));
const workers = Array.from({ length: cores }, () => new Worker(BARE, { eval: true }));
try {
  const large = join(folder, "large");
  writeFileSync(large, Buffer.alloc(megabytes << 20, 1));
  const many = Array.from({ length: FILES }, (_, index) => {
    const path = join(folder, String(index));
    writeFileSync(path, Buffer.alloc((megabytes / FILES) << 20, index));
    return path;
  });
  const one = await rate(() => {
    const hash = createHash("sha256");
    const piece = Buffer.alloc(1 << 20, 7);
    for (let done = 0; done < megabytes; done++) hash.update(piece);
    hash.digest();
  });
  const all = await rate(() =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((done) => {
            worker.once("message", done);
            worker.postMessage(megabytes / cores);
          }),
      ),
    ),
  );
  const show = (name: string, found: number, limit: number) =>
    console.log(
      `${name.padEnd(36)} ${found.toFixed(0).padStart(6)} MB/s, ${(found / limit).toFixed(2)} of the bare hash`,
    );
  console.log(`bare hash on one core ${one.toFixed(0)} MB/s, on ${cores} cores ${all.toFixed(0)} MB/s`);
  show(`one file of ${megabytes} MB`, await rate(() => hashFile(large)), one);
  show(
    `${FILES} files of ${megabytes / FILES} MB, all cores`,
    await rate(() => hashFiles(many, () => {})),
    all,
  );
} finally {
  await Promise.all(workers.map((worker) => worker.terminate()));
  rmSync(folder, { recursive: true });
}
