/** A launcher without its packages says in one line which is missing, and what to do. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "deephash-installed-"));
  for (const name of ["bin", "runner", "package.json", "package-lock.json"])
    cpSync(resolve(name), join(home, name), { recursive: true });
});
afterAll(() => rmSync(home, { recursive: true }));

/** Gives the project all packages but one, which is missing or the one given. */
function install(without: string, instead?: { version: string }): void {
  const packages = join(home, "node_modules");
  rmSync(packages, { recursive: true, force: true });
  mkdirSync(packages);
  for (const name of readdirSync(resolve("node_modules")))
    if (name !== ".cache" && name !== without)
      symlinkSync(resolve("node_modules", name), join(packages, name));
  if (!instead) return;
  mkdirSync(join(packages, without));
  writeFileSync(
    join(packages, without, "package.json"),
    JSON.stringify({ name: without, type: "module", ...instead }),
  );
  writeFileSync(join(packages, without, "index.js"), "export const nothing = 1;");
}

function start(launcher: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, "status"], {
    cwd: home,
    encoding: "utf8",
  });
  return [status, stdout, stderr];
}

test.each(["runner/main.mjs", "bin/deephash.mjs"])("%s without any package", (launcher) => {
  rmSync(join(home, "node_modules"), { recursive: true, force: true });
  expect(start(launcher)).toEqual([2, "", 'the package "esbuild" is not installed. Run: npm ci\n']);
});

test("without one package that the code imports", () => {
  install("yaml");
  expect(start("runner/main.mjs")).toEqual([2, "", 'the package "yaml" is not installed. Run: npm ci\n']);
});

test("with one of an older version", () => {
  install("yaml", { version: "0.0.1" });
  const [status, stdout, stderr] = start("runner/main.mjs");
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(
    /^the package "yaml" is installed as 0\.0\.1, but package-lock\.json names [\d.]+\. Run: npm ci\n$/,
  );
});

describe("an error is of a package", () => {
  const lock = {
    "node_modules/old": { version: "2.0.0" },
    "node_modules/@a/old": { version: "2.0.0" },
    "node_modules/missing": { version: "1.0.0", optional: true },
    "node_modules/linked": { resolved: "linked", link: true },
  };
  let folder: string;
  let packageFault: (error: unknown, home: string) => string | undefined;
  beforeAll(async () => {
    ({ packageFault } = await import(pathToFileURL(resolve("runner/installed.mjs")).href));
    folder = join(home, "small");
    for (const name of ["old", "@a/old", "linked"]) {
      mkdirSync(join(folder, "node_modules", name), { recursive: true });
      writeFileSync(join(folder, "node_modules", name, "package.json"), '{ "version": "1.0.0" }');
    }
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: lock }));
  });

  const old = (name: string) =>
    `the package "${name}" is installed as 1.0.0, but package-lock.json names 2.0.0. Run: npm ci`;
  test.each([
    ["The requested module 'old' does not provide an export named 'parse'", old("old")],
    ["Named export 'a' not found. The requested module '@a/old/b.js' is a CommonJS module", old("@a/old")],
    [
      "Package subpath './a' is not defined by \"exports\" in /p/node_modules/@a/old/package.json",
      old("@a/old"),
    ],
    ["Cannot find module '/p/node_modules/old/a.js' imported from /p/x.mjs", old("old")],
    ["Cannot find package 'missing' imported from", 'the package "missing" is not installed. Run: npm ci'],
  ])("that it names: %s", (message, line) => {
    expect(packageFault(new Error(message), folder)).toBe(line);
    expect(packageFault({ errors: [{ text: "" }, { text: message }] }, folder)).toBe(line);
  });

  test.each([
    "ENOSPC: no space left on device, write",
    "EACCES: permission denied, mkdir '/p/node_modules/old/.cache'",
    'Expected identifier but found "="',
    "of its own",
    "The requested module './old.ts' does not provide an export named 'parse'",
    'No matching export in "runner/cli/cli.ts" for import "none"',
    'Could not resolve "runner/cli/cli.ts"',
    "The requested module 'linked' does not provide an export named 'parse'",
    "Cannot find package 'not-in-the-lock' imported from",
    "Cannot find module 'node:new'",
  ])("unless it is another: %s", (message) => {
    expect(packageFault(new Error(message), folder)).toBeUndefined();
  });
});
