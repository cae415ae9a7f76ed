/**
 * The Vulkan driver of the checks on WebGPU: in software (SwiftShader, which Debian's package chromium brings), so no GPU
 * is needed.
 *
 *     VULKAN_ICD=FILE.json   another Vulkan driver; empty: those of this machine, where a real GPU is
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { StageRecord } from "../../runner/store/record.ts";

const CHROMIUM = "/usr/lib/chromium";
const ICD = process.env.VULKAN_ICD ?? join(CHROMIUM, "vk_swiftshader_icd.json");

/** @throws Error where the driver is not there */
export function requireVulkan(): void {
  if (ICD && !existsSync(ICD))
    throw new Error(
      `${ICD} is not there: apt-get install chromium, or name another Vulkan driver in VULKAN_ICD.`,
    );
}

/** The environment of a process under the driver. */
export function vulkanEnvironment(): NodeJS.ProcessEnv {
  const driver = ICD && { VK_DRIVER_FILES: ICD, VK_ICD_FILENAMES: ICD, LD_LIBRARY_PATH: CHROMIUM };
  return { ...process.env, ...(driver || {}) };
}

/** Runs the pipeline of a project under the driver. */
export function runOnVulkan(root: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "runner/main.mjs"), ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...vulkanEnvironment(), NO_COLOR: "1", FORCE_COLOR: undefined, VITEST: undefined },
  });
  return { status, said: `${stdout}\n${stderr}` };
}

/** The record of a stage, and the path of one of its outputs. */
export function recordOf(root: string, id: string) {
  const folder = join(root, "cache/records");
  const record = readdirSync(folder)
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as StageRecord)
    .find((one) => one.id === id)!;
  const output = (name: string) => {
    const { hash } = record.outputs[name];
    return join(root, "cache/objects", hash.slice(0, 2), hash);
  };
  return { notes: record.notes, output };
}
