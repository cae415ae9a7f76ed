// The launcher of the benchmarks: `node bench/run.mjs NAME [ARGUMENT …]` bundles bench/NAME.ts and runs it,
// since the oldest Node that is supported runs no TypeScript. Packages stay outside the bundle.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const bench = dirname(fileURLToPath(import.meta.url));
const [name, ...rest] = process.argv.slice(2);
const entry = join(bench, `${name}.ts`);
if (!name || !existsSync(entry)) {
  const known = readdirSync(bench).filter((file) => file.endsWith(".ts"));
  console.error(
    `node bench/run.mjs NAME: ${name ? `no benchmark "${name}"` : "a name is missing"}. There are ${known.map((file) => file.slice(0, -3)).join(", ")}.`,
  );
  process.exit(2);
}
// Inside node_modules, so that the bundle finds the project's packages.
const folder = join(bench, "../node_modules/.cache/deephash/bench");
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `${name}.${process.pid}.mjs`);
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
process.on("exit", () => rmSync(outfile, { force: true }));
process.argv = [process.argv[0], entry, ...rest];
await import(pathToFileURL(outfile).href);
