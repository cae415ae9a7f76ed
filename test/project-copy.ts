/** A copy of the project to write into: its own stages, schemas and store, the packages of the original. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
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
  linkPackages(root);
  return root;
}

/** Gives a copy the packages of the original. */
export function linkPackages(root: string): void {
  // Not the folder itself: its caches must not be shared.
  const packages = resolve("node_modules");
  mkdirSync(join(root, "node_modules"));
  for (const name of readdirSync(packages))
    if (!name.startsWith(".") || name === ".bin")
      symlinkSync(join(packages, name), join(root, "node_modules", name));
}

/** A checkout as a clone has it, of this working tree with its uncommitted changes; without packages. */
export function cloneProject(): string {
  const root = scratch();
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const file of listed.toString().split("\0").filter(existsSync)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(file, join(root, file));
  }
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, stdio: "pipe" });
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "test");
  return root;
}
