/** sha256 of many files on all cores. */
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { hashFile } from "./statcache.ts";

/** Below this much the start of the threads takes longer than they save. */
const WORTH_BYTES = 64 << 20;

/** Hashes the paths it is sent, one after the other. Text, since a bundle has no file of its own for it. */
const WORKER = `
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { closeSync, constants, fstatSync, openSync, readSync } = require("node:fs");
const buffer = Buffer.allocUnsafeSlow(1 << 20);
parentPort.on("message", (path) => {
  try {
    const hash = createHash("sha256");
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!fstatSync(file).isFile()) throw new Error("is no regular file");
      for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) hash.update(buffer.subarray(0, read));
    } finally {
      closeSync(file);
    }
    parentPort.postMessage({ hash: hash.digest("hex") });
  } catch (error) {
    parentPort.postMessage({ fault: error.message });
  }
});
`;

/** One file: its hash, or why it could not be read. */
export type Hashed = { hash: string } | { fault: string };

const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * Hashes files, the largest first, each on one core: sha256 of one file cannot be shared out.
 * @param each called as each one is done
 */
export async function hashFiles(
  paths: string[],
  each: (path: string, hashed: Hashed) => void,
): Promise<void> {
  const sized = paths.map((path) => ({ path, bytes: size(path) })).sort((a, b) => b.bytes - a.bytes);
  const total = sized.reduce((sum, { bytes }) => sum + bytes, 0);
  const threads = Math.min(availableParallelism(), paths.length);
  if (threads < 2 || total < WORTH_BYTES) {
    for (const { path } of sized)
      try {
        each(path, { hash: hashFile(path) });
      } catch (error) {
        each(path, { fault: (error as Error).message });
      }
    return;
  }
  const { Worker } = await import("node:worker_threads");
  let next = 0;
  await Promise.all(
    Array.from(
      { length: threads },
      () =>
        new Promise<void>((done, fail) => {
          const worker = new Worker(WORKER, { eval: true });
          let path = "";
          const feed = () => {
            if (next === sized.length) void worker.terminate().then(() => done());
            else {
              path = sized[next++].path;
              worker.postMessage(path);
            }
          };
          worker.on("message", (hashed: Hashed) => {
            each(path, hashed);
            feed();
          });
          worker.on("error", fail);
          feed();
        }),
    ),
  );
}
