import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesOf, readArchive } from "../../../stages/download/cifar.ts";
import { readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { put, scratch } from "../shared/scratch.ts";
import { archive, cifarRow, download, fault, imagesOf } from "./fakes.ts";

const folder = scratch();
/** Pixels that tell where they come from: file, row, channel and place. */
const pixel = (file: number, row: number) => (channel: number, at: number) =>
  31 * file + 7 * row + 85 * channel + at;
const names = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`).concat("test_batch.bin");
const files = Object.fromEntries(
  names.map((name, file) => [
    name,
    Buffer.concat([0, 1].map((row) => cifarRow([(2 * file + row) % 10], pixel(file, row)))),
  ]),
);
let whole: Awaited<ReturnType<typeof archive>>;
const cifar10 = ({ sha256 }: { sha256: string }, file = "cifar.tar.gz") =>
  download(folder, { use: "cifar10", file, sha256, urls: [] });
beforeAll(async () => {
  whole = await archive(folder, "cifar.tar.gz", { ...files, "readme.html": Buffer.from("not wanted") });
});

describe("download of CIFAR-10", () => {
  it("turns planes into pixels, in the published order", async () => {
    const { outputs, notes } = await cifar10(whole);
    const images = imagesOf(outputs.images);
    expect(images.map(({ id, label, split }) => [id, label, split])).toEqual(
      names.flatMap((_, file) =>
        [0, 1].map((row) => [10_000 * file + row, (2 * file + row) % 10, file < 5 ? "train" : "test"]),
      ),
    );
    for (const [index, { pixels }] of images.entries()) {
      const value = pixel(index >> 1, index & 1);
      const wanted = Array.from({ length: 3072 }, (_, i) => value(i % 3, Math.floor(i / 3)) & 255);
      expect(pixels).toEqual(wanted);
    }
    expect(readMetadata(readTable(outputs.images, "images"))).toEqual({
      dataset: "cifar10",
      height: 32,
      width: 32,
      channels: 3,
      classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    });
    expect(notes.images).toBe(12);
  });

  it("gives the same bytes twice", async () => {
    const [first, second] = [await cifar10(whole), await cifar10(whole)];
    expect(readFileSync(first.outputs.images).equals(readFileSync(second.outputs.images))).toBe(true);
  });
});

describe("download refuses", () => {
  it("an archive that is truncated, as gzip or as tar", async () => {
    for (const part of [0.1, 0.5, 0.99]) {
      const cut = put(folder, "cut.tar.gz", whole.bytes.subarray(0, Math.floor(whole.bytes.length * part)));
      expect(await fault(cifar10(cut, "cut.tar.gz"))).toMatch(/cut\.tar\.gz: (truncated|holds no file)/);
    }
    const tar = gunzipSync(whole.bytes);
    // In the middle of a file, of a header, and between two files.
    for (const length of [10_000, 3 * 512 + 6144 + 100, 512 + 6144]) {
      const cut = put(folder, "cut.tar.gz", gzipSync(tar.subarray(0, length)));
      expect(await fault(cifar10(cut, "cut.tar.gz"))).toMatch(/cut\.tar\.gz: (truncated|holds no file)/);
    }
  });

  it("something that is no archive", async () => {
    const page = put(folder, "page.tar.gz", Buffer.from("<html>not found</html>"));
    expect(await fault(cifar10(page, "page.tar.gz"))).toMatch(/page\.tar\.gz: truncated or no \.tar\.gz/);
  });

  it("an archive without one of its files", async () => {
    const { "data_batch_3.bin": _, ...rest } = files;
    const less = await archive(scratch(), "less.tar.gz", rest);
    writeFileSync(join(folder, "less.tar.gz"), less.bytes);
    expect(await fault(cifar10(less, "less.tar.gz"))).toMatch(
      /less\.tar\.gz: holds no file data_batch_3\.bin\. Is it the binary version/,
    );
  });

  it("a wrong checksum", async () => {
    expect(await fault(cifar10({ sha256: "0".repeat(64) }))).toMatch(
      /cifar\.tar\.gz has sha256 \w{8}… but 00000000… is pinned/,
    );
  });

  it("a label outside the classes, and half a row", async () => {
    const other = scratch();
    const row = cifarRow([10], () => 0);
    const label = await archive(other, "label.tar.gz", {
      ...files,
      "data_batch_2.bin": Buffer.concat([files["data_batch_2.bin"], row]),
    });
    writeFileSync(join(folder, "label.tar.gz"), label.bytes);
    expect(await fault(cifar10(label, "label.tar.gz"))).toBe(
      "data_batch_2.bin: row 2 has label 10, but there are 10 classes (0 to 9).",
    );
    const half = await archive(other, "half.tar.gz", { ...files, "test_batch.bin": row.subarray(0, 3000) });
    writeFileSync(join(folder, "half.tar.gz"), half.bytes);
    expect(await fault(cifar10(half, "half.tar.gz"))).toMatch(
      /^test_batch\.bin: 3000 bytes are no whole number of rows of 3073/,
    );
  });

  it("an archive that unpacks to more than the data set has", async () => {
    const sizes = new Map(names.map((name) => [name, bytesOf(2, 1)]));
    const read = async (changed: Record<string, Uint8Array>) => {
      const { path } = await archive(scratch(), "more.tar.gz", { ...files, ...changed });
      return fault(readArchive(path, sizes, new AbortController().signal));
    };
    expect(await read({ "test_batch.bin": new Uint8Array(6147) })).toMatch(
      /test_batch\.bin has 6147 bytes, more than the 6146 of the data set/,
    );
    expect(await read({ "bomb.bin": new Uint8Array(17_000_000) })).toMatch(
      /more\.tar\.gz: unpacks to more than 16814092 bytes/,
    );
  });

  it("an archive whose files are empty", async () => {
    const none = Object.fromEntries(names.map((name) => [name, new Uint8Array()]));
    const empty = await archive(scratch(), "empty.tar.gz", none);
    writeFileSync(join(folder, "empty.tar.gz"), empty.bytes);
    expect(await fault(cifar10(empty, "empty.tar.gz"))).toContain("cifar10 holds no images");
  });
});

describe("download of CIFAR-100", () => {
  const coarse = Array.from({ length: 20 }, (_, i) => `group ${i}`);
  const fine = Array.from({ length: 100 }, (_, i) => `class ${i}`);
  const hundred = {
    "train.bin": Buffer.concat([cifarRow([4, 99], pixel(0, 0)), cifarRow([19, 0], pixel(0, 1))]),
    "test.bin": cifarRow([0, 7], pixel(1, 0)),
    "fine_label_names.txt": Buffer.from(`${fine.join("\n")}\n`),
    "coarse_label_names.txt": Buffer.from(`${coarse.join("\n")}\n`),
  };
  const get = async (content: Record<string, Uint8Array>, params: Record<string, unknown> = {}) => {
    const own = scratch();
    const { sha256 } = await archive(own, "hundred.tar.gz", content);
    return download(own, { use: "cifar100", file: "hundred.tar.gz", sha256, urls: [], ...params });
  };

  it("takes the fine labels, or the coarse ones, with the names of the archive", async () => {
    const { outputs } = await get(hundred);
    expect(imagesOf(outputs.images).map(({ id, label, split }) => [id, label, split])).toEqual([
      [0, 99, "train"],
      [1, 0, "train"],
      [50_000, 7, "test"],
    ]);
    expect(readMetadata(readTable(outputs.images, "images"))).toMatchObject({
      dataset: "cifar100",
      classes: fine,
    });
    const { categories } = readMetadata(readTable(outputs.images, "images")) as { categories: string[] };
    expect([categories[0], categories[99], categories.length]).toEqual(["group 19", "group 4", 100]);
    expect(imagesOf(outputs.images)[0].pixels.slice(0, 3)).toEqual([0, 85, 170]);
    const groups = await get(hundred, { labels: "coarse" });
    expect(imagesOf(groups.outputs.images).map(({ label }) => label)).toEqual([4, 19, 0]);
    expect(readMetadata(readTable(groups.outputs.images, "images"))).toMatchObject({ classes: coarse });
    expect(readMetadata(readTable(groups.outputs.images, "images"))).not.toHaveProperty("categories");
  });

  it("refuses a list of names that does not fit", async () => {
    const less = { ...hundred, "fine_label_names.txt": Buffer.from("one\ntwo\n") };
    expect(await fault(get(less))).toMatch(/fine_label_names\.txt names 2 classes, not 100/);
  });
});
