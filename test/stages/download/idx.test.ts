import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import fashion from "../../../stages/download/datasets/fashion-mnist.ts";
import mnist from "../../../stages/download/datasets/mnist.ts";
import { readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { scratch } from "../shared/scratch.ts";
import { download, fault, idx, imagesOf } from "./fakes.ts";

const bytes = (count: number, first = 0) => Array.from({ length: count }, (_, i) => (first + i) & 255);
const good = {
  train_images: idx([3, 2, 4], bytes(24)),
  train_labels: idx([3], [9, 0, 4]),
  test_images: idx([2, 2, 4], bytes(16, 100)),
  test_labels: idx([2], [1, 1]),
};
const names = {
  train_images: "train-images-idx3-ubyte.gz",
  train_labels: "train-labels-idx1-ubyte.gz",
  test_images: "t10k-images-idx3-ubyte.gz",
  test_labels: "t10k-labels-idx1-ubyte.gz",
};

/** Runs the stage on four files in the mirror, under their own names and with their own checksums. */
function get(dataset: "mnist" | "fashion-mnist", changed: Partial<Record<keyof typeof good, Buffer>> = {}) {
  const mirror = scratch();
  mkdirSync(join(mirror, dataset));
  const pins: Record<string, { sha256: string }> = {};
  for (const [param, content] of Object.entries({ ...good, ...changed })) {
    writeFileSync(join(mirror, dataset, names[param as keyof typeof names]), content);
    pins[param] = { sha256: createHash("sha256").update(content).digest("hex") };
  }
  return download(mirror, { use: dataset, ...pins });
}

describe("download of MNIST and Fashion-MNIST", () => {
  it.each(["mnist", "fashion-mnist"] as const)("reads %s", async (dataset) => {
    const { outputs, notes } = await get(dataset);
    expect(imagesOf(outputs.images)).toEqual([
      { id: 0, label: 9, split: "train", pixels: bytes(8) },
      { id: 1, label: 0, split: "train", pixels: bytes(8, 8) },
      { id: 2, label: 4, split: "train", pixels: bytes(8, 16) },
      { id: 3, label: 1, split: "test", pixels: bytes(8, 100) },
      { id: 4, label: 1, split: "test", pixels: bytes(8, 108) },
    ]);
    const metadata = readMetadata(readTable(outputs.images, "images"));
    expect(metadata).toMatchObject({ dataset, height: 2, width: 4, channels: 1 });
    expect((metadata.classes as string[])[1]).toBe(dataset === "mnist" ? "1" : "Trouser");
    expect(metadata.classes).toHaveLength(10);
    expect(notes.images).toBe(5);
  });

  it("keeps the two apart in a mirror folder, where their files have the same names", () => {
    const paths = [mnist, fashion].flatMap(({ params }) =>
      Object.values(params!).map(
        (param) =>
          (param as unknown as { properties: { file: { default: string } } }).properties.file.default,
      ),
    );
    expect(new Set(paths).size).toBe(8);
    expect(paths[0]).toBe("mnist/train-images-idx3-ubyte.gz");
  });

  it("refuses files that are truncated, or none", async () => {
    const cut = good.train_images.subarray(0, good.train_images.length - 5);
    expect(await fault(get("mnist", { train_images: cut }))).toMatch(
      /train-images-idx3-ubyte\.gz: truncated or no \.gz .* Fetch it again/,
    );
    expect(await fault(get("mnist", { test_labels: Buffer.from("text") }))).toMatch(
      /t10k-labels.*truncated or no \.gz/,
    );
    const short = idx([3, 2, 4], bytes(23));
    expect(await fault(get("mnist", { train_images: short }))).toMatch(
      /: 39 bytes, but 3 x 2 x 4 .* take 40/,
    );
  });

  it("refuses files that unpack to more than they announce, or announce more than fits", async () => {
    const bomb = Buffer.concat([gunzipSync(good.train_images), Buffer.alloc(50_000_000)]);
    expect(await fault(get("mnist", { train_images: gzipSync(bomb) }))).toMatch(
      /train-images.*unpacks to more than 40 bytes/,
    );
    expect(await fault(get("mnist", { test_images: idx([2 ** 20, 2 ** 20, 1], []) }))).toMatch(
      /t10k-images.*announces 1099511627792 bytes, but at most 1073741824 are read/,
    );
  });

  it("refuses files of another form", async () => {
    expect(await fault(get("mnist", { train_images: good.train_labels }))).toMatch(
      /train-images.*no IDX file of bytes with 3 dimensions/,
    );
    const floats = idx([3], [1, 2, 3], 0x0d01);
    expect(await fault(get("mnist", { train_labels: floats }))).toMatch(
      /no IDX file of bytes with 1 dimensions/,
    );
  });

  it("refuses files that do not belong together", async () => {
    expect(await fault(get("mnist", { train_labels: idx([2], [1, 2]) }))).toBe(
      "mnist: 3 train images, but 2 labels. Do the files belong together?",
    );
    expect(await fault(get("mnist", { test_images: idx([2, 4, 2], bytes(16)) }))).toMatch(
      /test images of 4 x 2 pixels beside some of 2 x 4/,
    );
  });

  it("refuses a label outside the classes", async () => {
    expect(await fault(get("fashion-mnist", { test_labels: idx([2], [1, 10]) }))).toBe(
      "test labels: row 1 has label 10, but there are 10 classes (0 to 9).",
    );
  });
});
