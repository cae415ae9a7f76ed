/** Starts the driver, as something that faults can be tried on. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";
import type { Ended } from "../project.ts";
import type { Subject } from "./loop.ts";

/** Bundles driver.ts. */
export async function makeDriver(bundle: string): Promise<void> {
  await build({
    entryPoints: ["test/runner/faults/driver.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
  });
}

/** The driver in a folder. @param stages which of its stages; all when none is named */
export function driverSubject(root: string, bundle: string, ...stages: string[]): Subject {
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
