/** Shared by the tests of evaluate and evaluate-codes: the roles of blobs, and a module as threads load it. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Blobs } from "./vectors.ts";

/** The rows of each role of {@link writeBlobSplit}. */
export function blobRoles({ classes, perClass }: Pick<Blobs, "classes" | "perClass">) {
  const all = Array.from({ length: classes * perClass }, (_, row) => row);
  const share = (row: number) => (row % perClass) / perClass;
  return {
    all,
    train: all.filter((row) => share(row) < 0.5),
    validation: all.filter((row) => share(row) >= 0.5 && share(row) < 0.75),
    queries: all.filter((row) => share(row) >= 0.75),
    database: all.filter((row) => share(row) < 0.75),
  };
}

/** The rankings of a module on one thread and on two. @param rank is given the module, its URL and the threads */
export async function onOneAndTwoThreads<Module, Found>(
  entry: string,
  rank: (
    module: Module,
    options: { threads: number; url: string; onProgress: () => void; signal: AbortSignal },
  ) => Promise<Found>,
): Promise<[Found, Found]> {
  const cache = "node_modules/.cache/deephash/test";
  mkdirSync(cache, { recursive: true });
  const outfile = join(cache, `threads.${process.pid}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
  });
  const url = pathToFileURL(outfile).href;
  const module = (await import(url)) as Module;
  const { signal } = new AbortController();
  const [one, two] = await Promise.all(
    [1, 2].map((threads) => rank(module, { threads, url, onProgress: () => {}, signal })),
  );
  rmSync(outfile);
  return [one, two];
}
