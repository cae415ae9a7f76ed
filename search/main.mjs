// The launcher of the commands search and index: bundles cli.ts, since the oldest Node that is supported runs no
// TypeScript. Packages stay outside the bundle.
import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const self = fileURLToPath(import.meta.url);
const root = join(dirname(self), "..");

async function bundle() {
  const folder = join(root, "node_modules/.cache/deephash/search");
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [join(root, "search/cli.ts")],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
  });
  process.on("exit", () => rmSync(outfile, { force: true }));
  return import(pathToFileURL(outfile).href);
}

/** Runs one command. @param from the folder that paths start at; by default the person's. @returns the exit code */
export async function start(args, from) {
  const cwd = process.cwd();
  process.chdir(root);
  const { main, standing } = await bundle();
  return main(args, root, from ?? standing(cwd));
}

if (process.argv[1] && realpathSync(process.argv[1]) === self)
  process.exitCode = await start(process.argv.slice(2));
