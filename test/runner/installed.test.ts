/** A launcher without its packages says in one line which is missing, and what to do. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

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
