/** A process that cannot keep the compiled code of its packages leaves no file of it. */
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loaderOf } from "../../../runner/code/loader.ts";
import { SCRATCH_NAME, sweep } from "../../../runner/files/index.ts";
import { scratch } from "../../stages/shared/scratch.ts";

/** Loads a package in a process of its own whose rename does something else. @returns the files that are left */
function leftBy(rename: string): { folder: string; files: string[]; pid: number; signal: string | null } {
  const folder = scratch();
  writeFileSync(join(folder, "packages.cjs"), "exports.one = () => 1;");
  writeFileSync(join(folder, "load.cjs"), loaderOf([]));
  const code = `require("node:fs").renameSync = () => { ${rename} }; require("./load.cjs")("bundle")("one");`;
  writeFileSync(join(folder, "start.cjs"), code);
  const { pid, signal } = spawnSync(process.execPath, ["start.cjs"], { cwd: folder });
  const given = ["packages.cjs", "load.cjs", "start.cjs"];
  return { folder, pid, signal, files: readdirSync(folder).filter((name) => !given.includes(name)) };
}

test("a process that cannot write it leaves nothing", () => {
  expect(leftBy('throw new Error("full");')).toMatchObject({ signal: null, files: [] });
});

test("the next run removes what a killed process left", () => {
  const { folder, files, pid, signal } = leftBy('process.kill(process.pid, "SIGKILL");');
  expect([signal, files.length]).toEqual(["SIGKILL", 1]);
  const [, owner, started] = SCRATCH_NAME.exec(files[0])!;
  expect([owner, started]).toEqual([String(pid), expect.stringMatching(/^\d+$/)]);
  sweep(folder);
  expect(readdirSync(folder)).not.toContain(files[0]);
});
