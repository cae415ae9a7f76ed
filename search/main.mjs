// The launcher of `npm run search` and `npm run index`: bundles cli.ts, since the oldest Node that is supported runs
// no TypeScript. Packages stay outside the bundle.
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cwd = process.cwd();
process.chdir(root);
const folder = join(root, "node_modules/.cache/deephash/search");
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `${process.pid}.mjs`);
await build({
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
const { main, standing } = await import(pathToFileURL(outfile).href);
process.exitCode = await main(process.argv.slice(2), root, standing(cwd));
