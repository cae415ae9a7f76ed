/** The files that say how code is compiled: they are no input of a bundle, but change what comes out of it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** esbuild takes the nearest of each: `paths` and `extends` of the one, `imports` and `sideEffects` of the other. */
const NAMES = ["tsconfig.json", "package.json"];

/** The files that a tsconfig extends: a text, or a list of them. Those in comments are watched too, needlessly. */
const EXTENDS = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/g;

/** A tsconfig, and those that it extends by a path; of a package package-lock.json tells. */
function withExtended(file: string, found: Set<string>): void {
  if (found.has(file)) return;
  found.add(file);
  if (!existsSync(file)) return;
  for (const [, list] of readFileSync(file, "utf8").matchAll(EXTENDS))
    for (const [, name] of list.matchAll(/"([^"]*)"/g))
      if (/^(\.|\/)/.test(name))
        for (const path of [name, `${name}.json`]) withExtended(resolve(dirname(file), path), found);
}

/**
 * The absolute paths of all configuration that code rests on, also where none is: one may come to be there.
 * @param files absolute paths of the code
 */
export function configsOf(files: string[]): string[] {
  const found = new Set<string>();
  for (const name of NAMES) {
    const seen = new Set<string>();
    for (let folder of files.map(dirname))
      for (; !seen.has(folder); folder = dirname(folder)) {
        seen.add(folder);
        withExtended(join(folder, name), found);
        if (existsSync(join(folder, name))) break;
      }
  }
  return [...found];
}
