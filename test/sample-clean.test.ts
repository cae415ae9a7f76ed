/** A plain run changes no file that git tracks: what a clock wrote into the published folders is ignored. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MEASURED_LIST } from "../runner/plan/index.ts";
import { expand } from "../runner/study/expand.ts";
import { load } from "../runner/study/load.ts";

/** The published measured outputs of a profile's instances. */
async function measuredOf(profile: string): Promise<string[]> {
  const { instances } = expand(load("pipeline.yaml", "."), profile);
  const published = instances.filter(({ publish, uses }) => publish !== undefined && uses !== undefined);
  const found = await Promise.all(
    published.map(async ({ uses, publish }) => {
      const { default: stage } = await import(`../stages/${uses}/stage.ts`);
      const outputs = Object.values(
        stage.outputs as Record<string, string | { path: string; measured?: true }>,
      );
      return outputs
        .filter((output) => typeof output === "object" && output.measured)
        .map((output) => join(publish!, (output as { path: string }).path));
    }),
  );
  const all = found.flat();
  return [...all, ...new Set(published.map(({ publish }) => join(publish!, MEASURED_LIST)))];
}

test("git ignores what a clock writes in the sample's report, and holds none of it", async () => {
  const measured = await measuredOf("sample");
  expect(measured).toContain("reports/sample/timings.json");
  for (const path of measured)
    expect([path, spawnSync("git", ["check-ignore", "--quiet", "--no-index", path]).status]).toEqual([
      path,
      0,
    ]);
  const tracked = execFileSync("git", ["ls-files", ...measured], { encoding: "utf8" });
  expect(tracked).toBe("");
  expect(readFileSync("reports/sample/.published", "utf8")).not.toContain("timings");
});
