/**
 * The stage train on WebGPU, run by the pipeline, against WebAssembly: every kind of loss on features, and a small network
 * on pixels. vulkan.ts says on which driver. It needs the two packages that docs/gpu.md names.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { numbers, readTable } from "../../stages/shared/artifacts/arrow.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { encodeModel } from "../../stages/shared/onnx/model.ts";
import { copyProject } from "../project-copy.ts";
import { writeImages } from "../stages/shared/artifacts/image-table.ts";
import { smallMobileNet, smallResNet } from "../stages/shared/trainable/networks.ts";
import { writeBlobSplit, writeBlobs } from "../stages/vectors.ts";
import { recordOf, requireVulkan, runOnVulkan } from "./vulkan.ts";

const BLOBS = { classes: 4, perClass: 12, dim: 16, noise: 1.2 };
const SIDE = 16;

const HEAD = { network: { use: "mlp", hidden: [32] }, dim: 8, steps: 12, evaluate_every: 6 };
const SAMPLER = { use: "balanced", classes: 4, images: 4 };
/** A whole backbone that trains, with a rate for each group. */
const TUNED = {
  ...{ network: "linear", loss: "supcon", dim: 8, steps: 6, evaluate_every: 3, size: 32 },
  learning_rate: { head: 0.01, backbone: 0.003 },
};
const NETWORKS = { mobilenet: smallMobileNet, resnet: smallResNet };
const tuned = (name: keyof typeof NETWORKS) => ({ use: "file", name, multiple_of: 8, features: "features" });
const CASES: Record<string, object> = {
  triplets: { ...HEAD, loss: "facenet", selector: "semihard-negative", validation_loss: true },
  pairs: { ...HEAD, loss: "contrastive", selector: "all-positive" },
  batches: { ...HEAD, loss: "supcon", learning_rate: { from: 0.01, to: 0.001 } },
  classifier: { ...HEAD, loss: "softmax", optimizer: "sgd", validation_loss: true },
  proxies: { ...HEAD, loss: "arcface" },
  codes: { ...HEAD, loss: "csq" },
  pixels: { network: "embedding-net", loss: "supcon", dim: 8, steps: 2, evaluate_every: 2 },
  // Eleven layers: more weights than a shader may read.
  backbone: { ...TUNED, backbone: tuned("mobilenet"), weight_decay: 0.1, gradient_clip: 0.05 },
  "backbone-sgd": { ...TUNED, backbone: tuned("resnet"), optimizer: "sgd", gradient_clip: 0.5 },
};
const BACKENDS = ["wasm", "webgpu"];
/** Relative, of the loss. */
const TOLERANCE = 1e-4;

function project(): string {
  const root = copyProject();
  writeBlobs(join(root, "features.arrow"), BLOBS);
  writeBlobSplit(join(root, "split.arrow"), BLOBS);
  const draw = random(1, "pixels");
  writeImages(
    join(root, "images.arrow"),
    Array.from({ length: BLOBS.classes * BLOBS.perClass }, (_, row) => ({
      id: 100 + row,
      split: "train",
      label: Math.floor(row / BLOBS.perClass),
      pixels: Array.from({ length: SIDE * SIDE * 3 }, () => draw.int(256)),
    })),
    { height: SIDE, width: SIDE, channels: 3, classes: ["a", "b", "c", "d"] },
  );
  for (const [name, build] of Object.entries(NETWORKS))
    writeFileSync(join(root, `${name}.onnx`), encodeModel(build()));
  const stages = Object.fromEntries(
    Object.entries(CASES).map(([name, params]) => [
      name,
      {
        uses: "train",
        matrix: { backend: [...BACKENDS, ...(["triplets", "pixels"].includes(name) ? ["fastest"] : [])] },
        inputs: {
          data: name === "pixels" || "backbone" in params ? "./images.arrow" : "./features.arrow",
          split: "./split.arrow",
          ...("backbone" in params && { model: `./${(params.backbone as { name: string }).name}.onnx` }),
        },
        with: { sampler: SAMPLER, ...params, backend: "${backend}" },
      },
    ]),
  );
  // JSON is YAML.
  writeFileSync(join(root, "pipeline.yaml"), JSON.stringify({ profiles: { a: {} }, stages }, null, 2));
  return root;
}

/** The logs of all stages. */
const logs = (root: string): string[] =>
  readdirSync(join(root, "cache/logs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"));

let root: string;
beforeAll(() => {
  requireVulkan();
  root = project();
  const { status, said } = runOnVulkan(root);
  expect(status, said).toBe(0);
  expect(said).not.toMatch(/SIG[A-Z]+/);
  for (const log of logs(root)) expect(log, "a command that the GPU refused").not.toMatch(/^validation:/m);
});

it.each(Object.keys(CASES))("%s: the losses on WebGPU are those of WebAssembly", (name) => {
  const [wasm, webgpu] = BACKENDS.map((backend) => {
    const { notes, output } = recordOf(root, `${name}[backend=${backend}]`);
    expect(notes.backend).toBe(backend);
    const history = readTable(output("history"), "history");
    const columns = ["loss", ...(history.getChild("validation_loss") ? ["validation_loss"] : [])];
    const losses = columns.flatMap((column) => [...numbers<Float32Array>(history, column)]);
    return { notes, losses };
  });
  console.log(`${name}: ${webgpu.notes.backend_reason}; steps/s ${webgpu.notes.steps_per_second}`);
  expect(wasm.losses.every((loss) => Number.isFinite(loss) && loss > 0)).toBe(true);
  for (const [k, loss] of wasm.losses.entries())
    expect(Math.abs(webgpu.losses[k] / loss - 1), `${webgpu.losses[k]} and ${loss}`).toBeLessThan(TOLERANCE);
});

it("fastest takes no GPU that is computed on the CPU, and says so", () => {
  const { notes } = recordOf(root, "pixels[backend=fastest]");
  expect(notes.backend_reason).toMatch(
    notes.backend === "webgpu"
      ? /webgpu: .+ does a small step as the CPU does$/
      : /webgpu: SwiftShader.* computes on the CPU; native: it does a small step/,
  );
});

it("fastest tries no GPU for a head on features", () => {
  const { notes } = recordOf(root, "triplets[backend=fastest]");
  expect(notes.backend).toBe("native");
  expect(notes.backend_reason).toMatch(/^gpu, webgpu: slower for a head on features; native: it does/);
});
