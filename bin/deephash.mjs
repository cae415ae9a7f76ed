#!/usr/bin/env node
// The command `deephash`: every command of `npm run pipeline --`, for the project that the current folder is in.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const home = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = process.cwd();

/** The nearest folder from here upwards that is a project; else the package itself is the project. */
function projectOf(folder) {
  if (existsSync(join(folder, "pipeline.yaml")) && existsSync(join(folder, "stages"))) return folder;
  const above = dirname(folder);
  return above === folder ? home : projectOf(above);
}

const project = projectOf(from);
process.chdir(project);
// As npm does for a script: paths that a person gives start at the folder where the command was typed.
process.env.INIT_CWD = from;
process.env.npm_package_json = join(project, "package.json");
if (process.argv[2] === "pipeline") process.argv.splice(2, 1);
await import("../runner/main.mjs");
