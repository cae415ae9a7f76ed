/**
 * The project's kernels and optimizers on WebGPU against tfjs's on the CPU, in a process of its own: a driver may end it.
 * vulkan.ts says on which driver.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { beforeAll, expect, it } from "vitest";
import { requireVulkan, vulkanEnvironment } from "./vulkan.ts";

const home = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Where it finds the packages. */
const BUNDLE = join(home, "node_modules/.cache/deephash/test/gpu-kernels.mjs");
/** Relative to the largest value: sums are added in another order. */
const TOLERANCE = 1e-5;

beforeAll(requireVulkan);

it("give the values of the CPU; a copy of weights stays; a resumed training gives the same bytes", () => {
  buildSync({
    entryPoints: [join(home, "test/extra/gpu-kernels.program.ts")],
    ...{ outfile: BUNDLE, bundle: true, platform: "node", format: "esm", packages: "external" },
  });
  const run = spawnSync(process.execPath, [BUNDLE], { encoding: "utf8", env: vulkanEnvironment() });
  expect(run.stderr).not.toMatch(/^validation:/m);
  expect(run.status, run.stderr).toBe(0);
  const differences = JSON.parse(run.stdout.split("\n@").at(-1)!) as Record<string, number>;
  expect(Object.keys(differences).length).toBeGreaterThan(30);
  for (const [name, difference] of Object.entries(differences))
    if (/^a (copy|resumed)/.test(name)) expect(difference, name).toBe(0);
    else expect(difference, name).toBeLessThan(TOLERANCE);
});
