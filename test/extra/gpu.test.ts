/**
 * The stage extract on WebGPU, run by the pipeline, against the CPU: on Vulkan in software (SwiftShader, which Debian's
 * package chromium brings), so no GPU is needed.
 *
 *     VULKAN_ICD=FILE.json   another Vulkan driver; empty: those of this machine, where a real GPU is
 *     GPU_MODEL=FILE.onnx    a real network as well, with the backbone's name in GPU_BACKBONE (mobilenetv2)
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { StageRecord } from "../../runner/store/record.ts";
import { readVectors } from "../../stages/shared/artifacts/vectors.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { copyProject } from "../project-copy.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { writeImages } from "../stages/shared/artifacts/image-table.ts";

const CHROMIUM = "/usr/lib/chromium";
const ICD = process.env.VULKAN_ICD ?? join(CHROMIUM, "vk_swiftshader_icd.json");
const [SIDE, COUNT, FILTERS] = [32, 24, 64];

/** A project with images and a network, whose stage extract runs on the CPU, on WebGPU, and on what auto takes. */
class GpuProject {
  readonly root = copyProject();

  constructor(model: Uint8Array | string, backbone: string) {
    const draw = random(1, "gpu test");
    const pixels = () => Array.from({ length: SIDE * SIDE * 3 }, () => draw.int(256));
    writeImages(
      join(this.root, "images.arrow"),
      Array.from({ length: COUNT }, (_, id) => ({ id, split: "train", label: 0, pixels: pixels() })),
      { height: SIDE, width: SIDE, channels: 3, classes: ["a"] },
    );
    if (typeof model === "string") copyFileSync(model, join(this.root, "model.onnx"));
    else writeFileSync(join(this.root, "model.onnx"), model);
    writeFileSync(
      join(this.root, "pipeline.yaml"),
      `profiles: { a: {} }
stages:
  extract:
    uses: extract
    matrix: { device: [cpu, webgpu, auto] }
    inputs: { images: ./images.arrow, model: ./model.onnx }
    with: { backbone: ${backbone}, size: ${SIDE}, batch: 8, device: "\${device}" }
`,
    );
  }

  run(...args: string[]) {
    const driver = ICD && { VK_DRIVER_FILES: ICD, VK_ICD_FILENAMES: ICD, LD_LIBRARY_PATH: CHROMIUM };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(this.root, "runner/main.mjs"), ...args],
      {
        cwd: this.root,
        encoding: "utf8",
        env: { ...process.env, ...(driver || {}), NO_COLOR: "1", FORCE_COLOR: undefined, VITEST: undefined },
      },
    );
    return { status, said: `${stdout}\n${stderr}` };
  }

  /** What was made on a device that was asked for. */
  result(device: string) {
    const folder = join(this.root, "cache/records");
    const record = readdirSync(folder)
      .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as StageRecord)
      .find(({ id }) => id === `extract[device=${device}]`)!;
    const { hash } = record.outputs.features;
    return {
      notes: record.notes,
      features: readVectors(join(this.root, "cache/objects", hash.slice(0, 2), hash)),
    };
  }
}

const draw = random(2, "network");
const tiny = () =>
  tinyNetwork({
    kernel: Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5),
    bias: Float32Array.from({ length: FILTERS }, () => draw.normal() / 5),
    filters: FILTERS,
  });

beforeAll(() => {
  if (ICD && !existsSync(ICD))
    throw new Error(
      `${ICD} is not there: apt-get install chromium, or name another Vulkan driver in VULKAN_ICD.`,
    );
});

const { GPU_MODEL, GPU_BACKBONE = "mobilenetv2" } = process.env;
const NETWORKS: [name: string, model: () => Uint8Array | string, backbone: string][] = [
  ["a small network", tiny, "resnet18"],
  ...(GPU_MODEL ? [[GPU_MODEL, () => GPU_MODEL, GPU_BACKBONE] as (typeof NETWORKS)[number]] : []),
];

describe.each(NETWORKS)("%s", (name, model, backbone) => {
  it("gives on WebGPU the features of the CPU", () => {
    const project = new GpuProject(model(), backbone);
    const { status, said } = project.run();
    expect(status, said).toBe(0);
    const [cpu, webgpu, auto] = ["cpu", "webgpu", "auto"].map((device) => project.result(device));
    expect(webgpu.notes).toMatchObject({
      device: "webgpu",
      device_reason: "webgpu was asked for, the same features as on the CPU",
    });

    const { dim, rows, values } = cpu.features;
    expect([webgpu.features.rows, webgpu.features.dim]).toEqual([rows, dim]);
    let [different, largest] = [0, 0];
    for (const [i, value] of webgpu.features.values.entries())
      if (value !== values[i]) {
        different++;
        largest = Math.max(largest, Math.abs(value - values[i]));
      }
    console.log(
      `${name}: ${different} of ${values.length} float16 values differ, by at most ${largest.toPrecision(2)} ` +
        `(the largest value is ${values.reduce((most, one) => Math.max(most, Math.abs(one)), 0).toPrecision(3)}); ` +
        `${webgpu.notes.images_per_second} images/s on WebGPU, ${cpu.notes.images_per_second} on the CPU`,
    );
    const row = (all: Float32Array, index: number) => all.subarray(index * dim, (index + 1) * dim);
    for (let index = 0; index < rows; index++) {
      const [one, other] = [
        row(webgpu.features.values as Float32Array, index),
        row(values as Float32Array, index),
      ];
      const length = Math.hypot(...other);
      expect(length).toBeGreaterThan(0);
      expect(Math.hypot(...one.map((value, i) => value - other[i])) / length).toBeLessThan(1e-3);
    }

    // A device in software is slower than the CPU: auto takes it only where it is not, and says which it was.
    expect(String(auto.notes.device_reason)).toMatch(
      auto.notes.device === "cpu" ? /webgpu: slower than the CPU \(/ : /faster than the CPU \(/,
    );
    expect(said).not.toMatch(/SIG[A-Z]+/);
  });
});
