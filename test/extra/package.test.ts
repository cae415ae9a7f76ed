/** The package as `npm pack` makes it, installed into an empty project. Needs a registry of npm. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorld } from "../search/world.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-package-"));
const { exports, version } = JSON.parse(readFileSync("package.json", "utf8"));

/** Runs a command. @returns its output @throws Error with what it printed, when it fails */
function run(command: string, args: string[], cwd = folder): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

beforeAll(() => {
  run("npm", ["run", "build"], resolve("."));
  run("npm", ["pack", "--pack-destination", folder], resolve("."));
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "type": "module", "private": true }\n');
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./deephash-${version}.tgz`]);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("there is one copy of tfjs", () => {
  const lines = run("npm", ["ls", "--all", "--parseable", "@tensorflow/tfjs-core"]).trim().split("\n");
  expect(lines.filter((line) => line.endsWith("tfjs-core"))).toEqual([
    join(folder, "node_modules/@tensorflow/tfjs-core"),
  ]);
});

test("every door opens, and no other", () => {
  const doors = Object.keys(exports).map((name) => name.replace("./", "deephash/"));
  const script = `for (const door of ${JSON.stringify(doors)}) if (Object.keys(await import(door)).length === 0) throw new Error(door);
    for (const inner of ["deephash", "deephash/dist/library/losses.js", "deephash/stages/train/losses/facenet.ts"])
      await import(inner).then(() => { throw new Error(inner); }, ({ code }) => { if (!/^ERR_PACKAGE_PATH_NOT_EXPORTED$|^ERR_MODULE_NOT_FOUND$/.test(code)) throw new Error(inner + " " + code); });`;
  writeFileSync(join(folder, "doors.mjs"), script);
  run(process.execPath, ["doors.mjs"]);
}, 60_000);

test("its types are there for TypeScript", () => {
  const doors = Object.keys(exports).map(
    (name, i) => `import * as door${i} from "${name.replace("./", "deephash/")}";\nvoid door${i};`,
  );
  writeFileSync(
    join(folder, "types.ts"),
    `${doors.join("\n")}\nimport { fit } from "deephash/training";\n// @ts-expect-error: a training needs data\nvoid fit({});\n`,
  );
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  for (const name of readdirSync("node_modules/@types"))
    cpSync(resolve("node_modules/@types", name), join(folder, "node_modules/@types", name), {
      recursive: true,
    });
  const options = [
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--lib",
    "es2023,dom",
    "--strict",
    "--skipLibCheck",
  ];
  run(process.execPath, [resolve("node_modules/typescript/bin/tsc"), ...options, "types.ts"]);
}, 120_000);

test("the example trains there", () => {
  const out = run(process.execPath, ["node_modules/deephash/examples/train.mjs", "20"]);
  expect(out).toMatch(/mAP 0\.\d+, .* % right/);
}, 300_000);

test("an index is made and searched there", async () => {
  const world = await makeWorld(12, 6);
  const args = ["photos", "photos/cat/0.png", world.index].map((path) => resolve(world.folder, path));
  const out = run(process.execPath, ["node_modules/deephash/examples/index.mjs", ...args]);
  expect(out).toMatch(/images: 12/);
  expect(out).toMatch(/^0 of 6 bits .*photos\/cat\/0\.png$/m);
}, 120_000);

test("the command runs", () => {
  expect(run(process.execPath, ["node_modules/deephash/bin/deephash.mjs", "--version"]).trim()).toBe(version);
}, 60_000);
