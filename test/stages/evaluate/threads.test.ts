import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import type * as Neighbours from "../../../stages/evaluate/neighbours.ts";
import { random } from "../../../stages/shared/compute/random.ts";

it("finds the same on one thread and on two, to the last bit", async () => {
  const cache = "node_modules/.cache/deephash/test";
  mkdirSync(cache, { recursive: true });
  const outfile = join(cache, `neighbours.${process.pid}.mjs`);
  await build({
    entryPoints: ["stages/evaluate/neighbours.ts"],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
  });
  const url = pathToFileURL(outfile).href;
  const { rankAll, takeRows } = (await import(url)) as typeof Neighbours;
  const draw = random(1, "rows");
  const rowsOf = (rows: number) =>
    takeRows(
      {
        values: Float32Array.from({ length: rows * 8 }, () => draw.normal()),
        labels: Uint16Array.from({ length: rows }, (_, row) => row % 3),
        dim: 8,
      },
      Uint32Array.from({ length: rows }, (_, row) => row),
      undefined,
      true,
    );
  const [queries, database] = [rowsOf(200), rowsOf(301)];
  const [one, two] = await Promise.all(
    [1, 2].map((threads) =>
      rankAll(queries, database, {
        dim: 8,
        classes: 3,
        ks: [1, 5],
        at: [1, 10],
        threads,
        url,
        onProgress: () => {},
        signal: new AbortController().signal,
      }),
    ),
  );
  rmSync(outfile);
  expect(two).toEqual(one);
  expect(one.averagePrecision.every((value) => value > 0)).toBe(true);
});
