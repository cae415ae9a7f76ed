/** Transformers as backbones: features of drawn weights against a plain transformer, and the files that nobody verified. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../../../runner/stage.ts";
import backboneStage from "../../../stages/backbone/stage.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { IMAGENET } from "../../../stages/shared/backbone.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { Resizer } from "../../../stages/shared/pixels/resize.ts";
import { runStage } from "../../run-stage.ts";
import { writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";
import { vitFile, vitTokens } from "./vit.ts";

const folder = scratch();
const VIT = { side: 28, patch: 14, dim: 16, heads: 2, layers: 2 };
const model = join(folder, "dinov2-small.onnx");
writeFileSync(model, vitFile(VIT));
const sha256 = createHash("sha256").update(vitFile(VIT)).digest("hex");
const STORED = { height: 9, width: 11, channels: 3 };
const draw = random(2, "pixels");
const images = Array.from({ length: 3 }, () => Uint8Array.from({ length: 9 * 11 * 3 }, () => draw.int(256)));
const table = writeImages(
  join(folder, "images.arrow"),
  images.map((pixels, id) => ({ id, split: "train", label: 0, pixels })),
  { ...STORED, classes: ["noise"] },
);

describe.each(["cls", "mean", "both"])("dinov2-small, its tokens pooled as %s", (pooling) => {
  test("has the features of a plain transformer on images resized by cubes", async () => {
    const { outputs } = await runStage("extract", {
      params: { backbone: { use: "dinov2-small", pooling }, size: VIT.side, device: "cpu" },
      inputs: { images: table, model },
    });
    const { rows, dim, values } = readVectors(outputs.features);
    expect([rows, dim]).toEqual([3, pooling === "both" ? 32 : 16]);
    const resizer = new Resizer(STORED, VIT.side, { ...IMAGENET, resampling: "bicubic" }, 1);
    for (const [row, pixels] of images.entries()) {
      const [cls, ...others] = vitTokens(VIT, resizer.fill(0, pixels, 1));
      const mean = cls.map((_, d) => others.reduce((sum, token) => sum + token[d], 0) / others.length);
      const wanted = { cls, mean, both: [...cls, ...mean] }[pooling]!;
      for (const [d, value] of wanted.entries()) expect(values[row * dim + d]).toBeCloseTo(value, 2);
    }
  });
});

describe("a file whose checksum nobody verified", () => {
  test("is refused by the plan", () => {
    const refused = (params: object) =>
      refusalOf(backboneStage.refuses!, { backbone: { name: "vit-b16", part: {}, params: { ...params } } });
    expect(refused({ file: "vit.onnx", urls: [] })?.message).toMatch(/Give it once, .*use: vit-b16, sha256/);
    expect(refused({ file: "vit.onnx", urls: [], sha256 })).toBeUndefined();
    expect(refused({ name: "my-net" })).toBeUndefined(); // the user's own file
  });

  const fetched = (own: object) =>
    runStage("backbone", {
      params: { backbone: { use: "dinov2-small", urls: [], ...own } },
      downloads: { kept: join(folder, "none"), mirror: folder },
    });

  test("is refused until the user gives one, and checked against that", async () => {
    await expect(fetched({})).rejects.toThrow(
      /^no checksum of the file of "dinov2-small" has been verified\. Give it once, .*: \{ use: dinov2-small, sha256: … \}; sha256sum FILE prints it\.$/,
    );
    await expect(fetched({ sha256: "0".repeat(64) })).rejects.toThrow(/but 00000000… is pinned/);
    expect((await fetched({ sha256 })).outputs.model).toBeTruthy();
  });
});
