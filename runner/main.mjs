// The launcher: bundles the runner when one of its files changed, and starts the bundle. Starting from one
// plain file takes a fraction of the time that reading many typed ones does.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const runner = dirname(fileURLToPath(import.meta.url));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old: 20.19 or newer is needed.`);
  process.exit(2);
}
const folder = join(runner, "../node_modules/.cache/deephash/runner");
const sources = readdirSync(runner, { recursive: true })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(runner, file));
const stamp = [...sources, join(runner, "../package-lock.json")]
  .map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file}:${size}:${mtimeMs}`;
  })
  .join("\n");
const bundle = join(folder, "cli.mjs");
const stampFile = join(folder, "stamp");
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  const { build } = await import("esbuild");
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: { cli: join(runner, "cli.ts"), child: join(runner, "executors/child.ts") },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["esbuild"],
    banner: { js: "import{createRequire as cjs}from'node:module';const require=cjs(import.meta.url);" },
    logLevel: "error",
  });
  writeFileSync(stampFile, stamp);
}
const { main } = await import(pathToFileURL(bundle).href);
await main(process.argv.slice(2));
