/** The places for a shared cache: a folder, and S3 as s3rver speaks it on loopback. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Directory } from "../../runner/remotes/directory.ts";
import type { Content, Remote } from "../../runner/remotes/remote.ts";
import { openS3 } from "../../runner/remotes/s3.ts";
import { type Loopback, startLoopback } from "./loopback.ts";

const { signal } = new AbortController();
let loopback: Loopback;
let folder: string;
beforeAll(async () => {
  loopback = await startLoopback();
  folder = mkdtempSync(join(tmpdir(), "deephash-remote-"));
  for (const [name, value] of Object.entries(loopback.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await loopback.close();
});

const content = (bytes: string): Content => ({
  bytes: Buffer.byteLength(bytes),
  stream: Readable.from([Buffer.from(bytes)]),
  sha256: createHash("sha256").update(bytes).digest("hex"),
});
const read = async (remote: Remote, name: string) => {
  const stream = await remote.read(name, signal);
  return stream && text(stream);
};

describe.each([
  ["a folder", async () => new Directory(folder)],
  ["S3", async () => openS3(loopback.place("some/prefix/"))],
  ["S3 without a prefix", async () => openS3("s3://shared")],
])("%s", (_, open: () => Promise<Remote>) => {
  test("keeps what was written, knows its size, and what is absent", async () => {
    const remote = await open();
    expect(await read(remote, "records/a.json")).toBeUndefined();
    expect(await remote.size("records/a.json", signal)).toBeUndefined();
    await remote.write("records/a.json", content("first, ü"), signal);
    await remote.write("objects/5f/5f0c", content(""), signal);
    expect(await read(remote, "records/a.json")).toBe("first, ü");
    expect(await remote.size("records/a.json", signal)).toBe(9);
    expect(await read(remote, "objects/5f/5f0c")).toBe("");
    await remote.write("records/a.json", content("second"), signal);
    expect(await read(remote, "records/a.json")).toBe("second");
  });

  test("holds one of two that write at once, whole", async () => {
    const remote = await open();
    const [a, b] = ["a", "b"].map((letter) => letter.repeat(300_000));
    await Promise.all([a, b, a, b].map((bytes) => remote.write("objects/same", content(bytes), signal)));
    expect([a, b]).toContain(await read(remote, "objects/same"));
  });
});

test("S3 lies below its prefix", async () => {
  const remote = await openS3(loopback.place("deep/below"));
  await remote.write("records/b.json", content("b"), signal);
  expect(await read(await openS3("s3://shared"), "deep/below/records/b.json")).toBe("b");
});

test("a write that breaks off leaves nothing behind", async () => {
  const remote: Remote = new Directory(folder);
  const stream = Readable.from(
    (function* () {
      yield Buffer.from("half");
      throw new Error("broke off");
    })(),
  );
  await expect(remote.write("objects/half", { ...content("half"), stream }, signal)).rejects.toThrow(
    "broke off",
  );
  expect(await remote.size("objects/half", signal)).toBeUndefined();
  expect(readdirSync(join(folder, "incoming"))).toEqual([]);
});

test("a folder that is gone is an outage, not an empty cache", async () => {
  const gone = join(folder, "unmounted");
  const remote = new Directory(gone);
  await expect(remote.read("records/a.json")).rejects.toThrow("ENOENT");
  await expect(remote.size("records/a.json")).rejects.toThrow("ENOENT");
  await expect(remote.write("records/a.json", content("a"), signal)).rejects.toThrow("ENOENT");
  mkdirSync(gone);
  expect(await remote.read("records/a.json")).toBeUndefined();
});

test("a bucket that is not there is an outage, a name that is none a fault of the user's", async () => {
  const remote = await openS3("s3://nobodys/prefix");
  await expect(remote.read("records/a.json", signal)).rejects.toThrow();
  await expect(openS3("s3:/shared")).rejects.toThrow(
    "--remote s3:/shared: must look like s3://BUCKET/PREFIX.",
  );
});
