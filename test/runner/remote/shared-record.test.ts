/** The public form of a record. */
import { mkdtempSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { namesPath, shareable } from "../../../runner/remote/shared-record.ts";
import { recordFault, type StageRecord } from "../../../runner/store/record.ts";

const record = (more: Partial<StageRecord> = {}): StageRecord => ({
  key: "1".repeat(64),
  id: "train",
  stage: "train",
  code: "c".repeat(64),
  packages: ["sharp@0.35.5"],
  parts: {},
  params: { loss: "triplet", tensor: "/classifier/Flatten_output_0", url: "https://host/home/x.zip" },
  inputs: { i: [{ hash: "2".repeat(64), id: "./data/labels.csv" }] },
  outputs: { o: { hash: "3".repeat(64), bytes: 1, measured: false } },
  notes: { device: "cpu", tensor: "/model/Gemm_output_0", rate: 3 },
  machine: { host: "build-7", node: "v20", cpu: "", cores: 2 },
  ended: "2026-01-01T00:00:00.000Z",
  seconds: 1,
  peakMegabytes: 1,
  ...more,
});

test("a record without a path goes as it is, but for who signed it and members nobody knows", () => {
  expect(shareable(record())).toEqual(record());
  expect(shareable({ ...record(), by: `ed25519:${"A".repeat(43)}`, user: "ann" } as StageRecord)).toEqual(
    record(),
  );
});

test.each([
  join(homedir(), "photos"),
  join(tmpdir(), "x"),
  mkdtempSync(join(tmpdir(), "deephash-private-")),
  "/home/ann/photos",
  "/Users/Ann/My Photos",
  "~/photos",
  "C:\\Users\\ann",
  "c:/data",
  "\\\\server\\share",
  "file:///home/ann/x",
  "https://ann:secret@host/x.zip",
])("%s is in nothing that is pushed", (path) => {
  const shared = shareable(
    record({
      notes: { from: `read ${path} twice`, device: "cpu" },
      from: { i: [{ file: path }, { file: "data/a.csv" }, { id: "a", output: "o", key: "" }] },
      run: { profile: "p", settings: [`train.file=${JSON.stringify(path)}`, "train.steps=3"] },
    }),
  );
  expect(shared.notes).toEqual({ from: "(not shared)", device: "cpu" });
  expect(shared.from).toEqual({
    i: [{ file: "(not shared)" }, { file: "data/a.csv" }, { id: "a", output: "o", key: "" }],
  });
  expect(shared.run).toEqual({ profile: "p", settings: ["train.file=(not shared)", "train.steps=3"] });
  expect(recordFault(shared)).toBe("");
  expect(JSON.stringify(shared)).not.toContain(JSON.stringify(path).slice(1, -1));
  // Fields that the key covers cannot be left out: then nothing is shared.
  for (const more of [
    { params: { deep: [{ file: `--data=${path}` }] } },
    { params: { [path]: 1 } },
    { inputs: { i: [{ hash: "2".repeat(64), id: path }] } },
    { parts: { loss: { name: "x", code: "c", params: { file: path } } } },
    { id: `train[file=${path}]` },
  ])
    expect(() => shareable(record(more))).toThrow(
      /^is not shared: (params|inputs|parts|id)\S* holds a path or a password/,
    );
});

test("a path that leads out of the project is left out where the key does not need it", () => {
  const shared = shareable(record({ from: { i: [{ file: "../private/a.csv" }] } }));
  expect(shared.from).toEqual({ i: [{ file: "(not shared)" }] });
});

test("names, numbers and relative paths are no absolute paths", () => {
  for (const text of [
    "",
    "/",
    "a/b",
    "./x/y",
    "1/2",
    "and/or",
    "s3://bucket/home/x",
    "https://x.org/root/y",
    "a:b",
    "n: 3",
  ])
    expect(namesPath(text), text).toBe(false);
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{1,4}(\/[a-z]{1,4}){0,3}$/), (text) => {
      expect(namesPath(text)).toBe(false);
      expect(namesPath(`/home/${text}`)).toBe(true);
      expect(namesPath(`--in=/home/${text}`)).toBe(true);
    }),
  );
});
