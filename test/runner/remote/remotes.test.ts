/** The places for a shared cache: a folder, and S3 as s3rver speaks it on loopback. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Directory } from "../../../runner/remote/directory.ts";
import { type Content, type Remote, Unusable } from "../../../runner/remote/place.ts";
import { openS3 } from "../../../runner/remote/s3.ts";
import { type Loopback, startLoopback } from "../loopback.ts";

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
  test("keeps the written bytes, knows their size, and reports missing ones", async () => {
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

test("S3 objects are below their prefix", async () => {
  const remote = await openS3(loopback.place("deep/below"));
  await remote.write("records/b.json", content("b"), signal);
  expect(await read(await openS3("s3://shared"), "deep/below/records/b.json")).toBe("b");
});

test("an interrupted write leaves nothing behind", async () => {
  const remote: Remote = new Directory(folder);
  const stream = Readable.from(
    (function* () {
      yield Buffer.from("half");
      throw new Error("was interrupted");
    })(),
  );
  await expect(remote.write("objects/half", { ...content("half"), stream }, signal)).rejects.toThrow(
    "was interrupted",
  );
  expect(await remote.size("objects/half", signal)).toBeUndefined();
  expect(readdirSync(join(folder, "incoming"))).toEqual([]);
});

describe("in a folder that others write to, too", () => {
  let shared: string;
  let victim: string;
  let remote: Directory;
  beforeEach(() => {
    shared = mkdtempSync(join(folder, "shared-"));
    victim = mkdtempSync(join(folder, "victim-"));
    remote = new Directory(shared);
  });

  test.each([
    "incoming",
    "records",
    "objects",
    "objects/5f",
  ])("a link in the place of %s is not followed", async (at) => {
    mkdirSync(join(shared, at, ".."), { recursive: true });
    symlinkSync(victim, join(shared, at));
    for (const name of ["records/a.json", "objects/5f/5f0c"])
      if (at === "incoming" || name.startsWith(at))
        await expect(remote.write(name, content("x"), signal)).rejects.toThrow(Unusable);
    expect(readdirSync(victim)).toEqual([]);
    writeFileSync(join(victim, "a.json"), "planted");
    if (at !== "records") return;
    await expect(remote.read("records/a.json")).rejects.toThrow("is behind a link");
    await expect(remote.size("records/a.json")).rejects.toThrow("is behind a link");
  });

  test("no name in incoming can be foreseen, and none holds the machine's", async () => {
    mkdirSync(join(shared, "incoming"));
    for (let n = 0; n < 9; n++)
      symlinkSync(join(victim, "new"), join(shared, "incoming", `${hostname()}-${process.pid}-${n}`));
    let names: string[] = [];
    // A stream is read ahead: the file may be opened after its second piece is asked for.
    const stream = Readable.from(
      (async function* () {
        yield Buffer.from("x");
        for (let tries = 0; names.length < 10 && tries < 1000; tries++) {
          names = readdirSync(join(shared, "incoming"));
          await sleep(5);
        }
        yield Buffer.from("y");
      })(),
    );
    await remote.write("records/a.json", { ...content("xy"), stream }, signal);
    expect(names.filter((name) => !name.includes(hostname()))).toHaveLength(1);
    expect(readdirSync(victim)).toEqual([]);
    expect(await read(remote, "records/a.json")).toBe("xy");
  });

  test("a link in the place of a file is replaced, not written through, and not read", async () => {
    mkdirSync(join(shared, "records"));
    writeFileSync(join(victim, "mine"), "precious");
    symlinkSync(join(victim, "mine"), join(shared, "records/a.json"));
    await expect(remote.read("records/a.json")).rejects.toThrow("is no regular file");
    await expect(remote.size("records/a.json")).rejects.toThrow("is no regular file");
    await remote.write("records/a.json", content("x"), signal);
    expect(await read(remote, "records/a.json")).toBe("x");
    expect(readFileSync(join(victim, "mine"), "utf8")).toBe("precious");
  });

  test("a pipe, a device and a folder are refused at once", async () => {
    mkdirSync(join(shared, "records/folder"), { recursive: true });
    execFileSync("mkfifo", [join(shared, "records/pipe")]);
    symlinkSync("/dev/zero", join(shared, "records/device"));
    for (const name of ["pipe", "device", "folder"]) {
      await expect(remote.read(`records/${name}`)).rejects.toThrow(Unusable);
      await expect(remote.size(`records/${name}`)).rejects.toThrow(Unusable);
    }
    await expect(remote.write("records/folder", content("x"), signal)).rejects.toThrow(Unusable);
    writeFileSync(join(shared, "objects"), "a file");
    await expect(remote.read("objects/5f/5f0c")).rejects.toThrow(Unusable);
    await expect(remote.write("objects/5f/5f0c", content("x"), signal)).rejects.toThrow(Unusable);
    expect(readdirSync(join(shared, "incoming"))).toEqual([]);
  });
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
