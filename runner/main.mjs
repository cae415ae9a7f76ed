// The launcher of the runner.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bundled, home, imported } from "./bundled.mjs";
import { unsupported } from "./supported.mjs";

const reason = unsupported();
if (reason) {
  console.error(reason);
  process.exit(2);
}
const folder = await bundled(
  "runner",
  ["runner"],
  [
    {
      entryPoints: { cli: "runner/cli/cli.ts", job: "runner/run/slurm/job.ts" },
      outExtension: { ".js": ".mjs" },
      chunkNames: "chunk-[hash]",
      splitting: true,
      format: "esm",
      external: ["esbuild"],
      banner: { js: "import{createRequire as cjs}from'node:module';const require=cjs(import.meta.url);" },
    },
    {
      entryPoints: {
        trace: "runner/run/local/trace.ts", // for --require, which reaches threads that --import does not
        child: "runner/run/local/child.ts", // Node starts from CommonJS sooner than from modules
      },
      outExtension: { ".js": ".cjs" },
      format: "cjs",
      external: ["zx"], // of shell stages alone
    },
  ],
);
const { main } = await imported(folder, "cli.mjs");
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
const command = basename(process.argv[1]).startsWith("deephash") ? "deephash" : "npm run pipeline --";
await main(process.argv.slice(2), { command, version, home });
