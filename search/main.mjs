// The launcher of the commands search and index.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundled, home, imported, PROGRAM } from "../runner/bundled.mjs";

/** Runs one command. @param from the folder that paths start at; by default the person's. @returns the exit code */
export async function start(args, from) {
  const cwd = process.cwd();
  process.chdir(home);
  const folder = await bundled(
    "search",
    ["search", "stages", "runner"],
    [{ ...PROGRAM, entryPoints: { cli: "search/cli.ts" } }],
  );
  const { main, standing } = await imported(folder, "cli.mjs");
  return main(args, home, from ?? standing(cwd));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = await start(process.argv.slice(2));
