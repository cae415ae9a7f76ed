/**
 * The stage extract on WebGPU, run by the pipeline, against the CPU. vulkan.ts says on which driver.
 *
 *     GPU_MODEL=FILE.onnx    a real network as well, with the backbone's name in GPU_BACKBONE (mobilenetv2)
 */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readVectors } from "../../stages/shared/artifacts/vectors.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { copyProject } from "../project-copy.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { writeImages } from "../stages/shared/artifacts/image-table.ts";
import { recordOf, requireVulkan, runOnVulkan } from "./vulkan.ts";

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

  /** The output on a requested device. */
  result(device: string) {
    const { notes, output } = recordOf(this.root, `extract[device=${device}]`);
    return { notes, features: readVectors(output("features")) };
  }
}

const draw = random(2, "network");
const tiny = () =>
  tinyNetwork({
    kernel: Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5),
    bias: Float32Array.from({ length: FILTERS }, () => draw.normal() / 5),
    filters: FILTERS,
  });

beforeAll(requireVulkan);

const { GPU_MODEL, GPU_BACKBONE = "mobilenetv2" } = process.env;
const NETWORKS: [name: string, model: () => Uint8Array | string, backbone: string][] = [
  ["a small network", tiny, "resnet18"],
  ...(GPU_MODEL ? [[GPU_MODEL, () => GPU_MODEL, GPU_BACKBONE] as (typeof NETWORKS)[number]] : []),
];

describe.each(NETWORKS)("%s", (name, model, backbone) => {
  it("gives on WebGPU the features of the CPU", () => {
    const project = new GpuProject(model(), backbone);
    const { status, said } = runOnVulkan(project.root);
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
