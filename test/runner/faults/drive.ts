/** Starts the driver, as something that faults can be tried on. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { sha256 } from "../../../runner/files/statcache.ts";
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
    // For the packages that are CommonJS, as in runner/main.mjs.
    banner: { js: "import{createRequire as cjs}from'node:module';const require=cjs(import.meta.url);" },
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

/** Files that an earlier publication left, some of which the driver makes no more. */
const PUBLISHED = { "values.json/below/old": "O", "clock/old": "O", "clock/a": "A", "gone.json": "G" };
/** A person's files among them. */
export const MINE = { "clock/mine": "precious", "notes/mine": "precious" };

/** The driver, where it has published before. */
export function republished(root: string, bundle: string): Subject {
  const plain = driverSubject(root, bundle);
  const write = (path: string, text: string) => {
    const to = join(root, "reports", path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  };
  return {
    ...plain,
    reset() {
      plain.reset();
      for (const [path, text] of Object.entries({ ...PUBLISHED, ...MINE })) write(path, text);
      const files = Object.entries(PUBLISHED).map(([path, text]) => [path, ["third", sha256(text)]]);
      write(".published", JSON.stringify({ files: Object.fromEntries(files) }));
    },
  };
}
