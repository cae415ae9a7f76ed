/** onnxruntime must leave nothing behind: its telemetry writes a device id, a database and a log. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { beforeAll, expect, it } from "vitest";
import { tinyNetwork } from "../../extract/onnx-model.ts";
import { scratch } from "../scratch.ts";

const folder = scratch();
const model = join(folder, "tiny.onnx");
const bundle = join(folder, "open.mjs");

/** Opens a session here and in a probe's process, as the runner does: from one bundle, packages outside. */
const SOURCE = `
  import { probeInChild } from "./stages/shared/inference/probe.ts";
  import { openSession } from "./stages/shared/inference/session.ts";
  const file = process.argv[2];
  const session = await openSession(file, "cpu", 1);
  await session.release();
  const images = new Float32Array(3 * 64).fill(1);
  const signal = new AbortController().signal;
  const trial = { file, input: "data", tensor: "scores", images, count: 1, size: 8, threads: 1, batch: 1, patience: 60, signal };
  const tried = await probeInChild("cpu", trial);
  if ("failure" in tried) throw new Error(tried.failure);
  console.log(process.env.ORT_DISABLE_TELEMETRY);
`;

beforeAll(() => {
  writeFileSync(
    model,
    tinyNetwork({ kernel: new Float32Array(27).fill(1), bias: new Float32Array(1), filters: 1 }),
  );
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  buildSync({
    stdin: { contents: SOURCE, resolveDir: resolve("."), loader: "ts" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    outfile: bundle,
  });
});

/** The files that appear in the home and the temporary folder of a process that opens sessions. */
function filesLeft(name: string, setting: string | undefined): { files: string[]; said: string } {
  const [home, temporary] = ["home", "tmp"].map((part) => join(folder, name, part));
  for (const one of [home, temporary]) mkdirSync(one, { recursive: true });
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...environment } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle, model], {
    encoding: "utf8",
    env: {
      ...environment,
      HOME: home,
      TMPDIR: temporary,
      ...(setting === undefined ? {} : { ORT_DISABLE_TELEMETRY: setting }),
    },
  });
  expect(status, stderr).toBe(0);
  const files = readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return { files, said: stdout.trim() };
}

it("a session leaves no file behind, be the variable unset or empty", () => {
  expect(filesLeft("unset", undefined)).toEqual({ files: [], said: "1" });
  expect(filesLeft("empty", "")).toEqual({ files: [], said: "1" });
});

it("who sets ORT_DISABLE_TELEMETRY keeps the choice", () => {
  expect(filesLeft("asked", "0").said).toBe("0");
});
