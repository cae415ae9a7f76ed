/** A transformer of full size, ViT-S/14 on 224 pixels, with drawn weights: its shape, its feature tensor, its memory. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readVectors } from "../../stages/shared/artifacts/vectors.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { runStage } from "../run-stage.ts";
import { vitFile } from "../stages/extract/vit.ts";
import { writeImages } from "../stages/shared/artifacts/image-table.ts";
import { scratch } from "../stages/shared/scratch.ts";

test("dinov2-small at its full size", async () => {
  const folder = scratch();
  const model = join(folder, "dinov2-small.onnx");
  writeFileSync(model, vitFile({ side: 224, patch: 14, dim: 384, heads: 6, layers: 12 }));
  const draw = random(1, "pixels");
  const [height, width, count] = [32, 32, 3];
  const images = writeImages(
    join(folder, "images.arrow"),
    Array.from({ length: count }, (_, id) => ({
      id,
      split: "train" as const,
      label: 0,
      pixels: Uint8Array.from({ length: height * width * 3 }, () => draw.int(256)),
    })),
    { height, width, channels: 3, classes: ["noise"] },
  );
  const { outputs, notes } = await runStage("extract", {
    params: { backbone: { use: "dinov2-small", pooling: "both" }, device: "cpu", batch: 2 },
    inputs: { images, model },
  });
  const { rows, dim, values } = readVectors(outputs.features);
  expect([rows, dim]).toEqual([count, 2 * 384]);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(notes.feature_tensor).toBe("last_hidden_state");
  expect(process.resourceUsage().maxRSS / 1024).toBeLessThan(2000); // megabytes; the weights are 85
}, 300_000);
