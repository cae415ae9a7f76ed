/** A copy of the project to write into: its own stages, schemas and store, the packages of the original. */
import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { scratch } from "./stages/shared/scratch.ts";

/** Copies what runs and what tests import, without the bundled sample and the tests themselves. */
export function copyProject(): string {
  const root = scratch();
  for (const name of ["init", "runner", "stages", "schemas", "search", "templates", "test"])
    cpSync(name, join(root, name), {
      recursive: true,
      filter: (path) => !/\.arrow$|\.test\.ts$|conformance/.test(path),
    });
  for (const name of ["package.json", "package-lock.json", "tsconfig.json", "vitest.config.ts", "biome.json"])
    cpSync(name, join(root, name));
  // Not the folder itself: what is cached in it must not be shared.
  const packages = resolve("node_modules");
  mkdirSync(join(root, "node_modules"));
  for (const name of readdirSync(packages))
    if (!name.startsWith(".") || name === ".bin")
      symlinkSync(join(packages, name), join(root, "node_modules", name));
  return root;
}
