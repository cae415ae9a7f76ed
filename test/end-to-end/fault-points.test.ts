/** Every call of the store and the runner that changes a file goes wrong once: by SIGKILL, by a full disk. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eachFault, type Subject } from "../runner/faults/loop.ts";
import type { Ended } from "../runner/project.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-faults-"));
const bundle = join(folder, "driver.mjs");
beforeAll(() =>
  build({
    entryPoints: ["test/runner/faults/driver.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
  }),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function subject(name: string, ...stages: string[]): Subject {
  const root = join(folder, name);
  return {
    root,
    reset() {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
    },
    run: (env) =>
      new Promise<Ended>((done) => {
        const child = spawn(process.execPath, [bundle, ...stages], {
          cwd: root,
          env: { ...process.env, ...env },
        });
        let out = "";
        let err = "";
        child.stdout.on("data", (data) => {
          out += data;
        });
        child.stderr.on("data", (data) => {
          err += data;
        });
        child.on("close", (code, signal) => done({ code, signal, out, err }));
      }),
  };
}

test.each([
  ["kill", "first"],
  ["ENOSPC", "first"],
] as const)("%s at every fault point of one stage", async (fault, stage) => {
  // Two at once: the machine that runs the tests has two cores.
  const tried = await Promise.all(
    [0, 1].map((turn) => eachFault(subject(`${fault}-${turn}`, stage), fault, "runner", [turn, 2])),
  );
  expect(tried[0] + tried[1]).toBeGreaterThan(30);
  expect(readdirSync(folder).length).toBeGreaterThan(2);
});
