// The launcher: bundles the runner when one of its files changed, and starts the bundle. Starting from one
// plain file takes a fraction of the time that reading many typed ones does.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { unsupported } from "./supported.mjs";

/** Age of a bundle that no run uses any more: none takes a month. */
const OLD_MILLISECONDS = 30 * 24 * 3600 * 1000;

const runner = dirname(fileURLToPath(import.meta.url));
const reason = unsupported();
if (reason) {
  console.error(reason);
  process.exit(2);
}
const sources = readdirSync(runner, { recursive: true })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(runner, file));
const stamps = [...sources, join(runner, "../package-lock.json")].map((file) => {
  const stats = statSync(file, { throwIfNoEntry: false });
  return `${file}:${stats?.size}:${stats?.mtimeMs}`;
});
// One folder for each state of the sources: a run that goes on keeps the bundle it began with.
const bundles = join(runner, "../node_modules/.cache/deephash/runner");
const folder = join(bundles, createHash("sha256").update(stamps.join("\n")).digest("hex").slice(0, 16));
if (!existsSync(folder)) {
  const { build } = await import("esbuild");
  const scratch = `${folder}.${process.pid}`;
  const common = { outdir: scratch, bundle: true, platform: "node", target: "node20", logLevel: "error" };
  await build({
    ...common,
    entryPoints: {
      cli: join(runner, "cli/cli.ts"),
      job: join(runner, "run/slurm/job.ts"),
    },
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    splitting: true,
    format: "esm",
    external: ["esbuild"],
    banner: { js: "import{createRequire as cjs}from'node:module';const require=cjs(import.meta.url);" },
  });
  await build({
    ...common,
    entryPoints: {
      trace: join(runner, "run/local/trace.ts"), // for --require, which reaches threads that --import does not
      child: join(runner, "run/local/child.ts"), // Node starts from CommonJS sooner than from modules
    },
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    external: ["zx"], // of shell stages alone
  });
  try {
    renameSync(scratch, folder);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another process made the same just now
  }
  const old = Date.now() - OLD_MILLISECONDS;
  for (const name of readdirSync(bundles)) {
    const path = join(bundles, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && stats.mtimeMs < old) rmSync(path, { recursive: true, force: true });
  }
}
const { main } = await import(pathToFileURL(join(folder, "cli.mjs")).href);
const home = dirname(runner);
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
const command = basename(process.argv[1]).startsWith("deephash") ? "deephash" : "npm run pipeline --";
await main(process.argv.slice(2), { command, version, home });
