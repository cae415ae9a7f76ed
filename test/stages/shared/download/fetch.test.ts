import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { self } from "../../../../runner/files/owner.ts";
import { toStageError } from "../../../../runner/run/failure.ts";
import { UserError } from "../../../../runner/stage.ts";
import { DownloadError, fetchFile, pinned, pinnedFiles } from "../../../../stages/shared/download/fetch.ts";
import type { Limits } from "../../../../stages/shared/download/transfer.ts";
import { scratch } from "../scratch.ts";

const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Bytes that do not repeat, so that a piece in the wrong place shows. */
const CONTENT = Buffer.from(
  Uint32Array.from({ length: 50_000 }, (_, i) => Math.imul(i, 2_654_435_761)).buffer,
);
const PIN = sum(CONTENT);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves `bytes` as a server that knows ranges does. */
const serve =
  (bytes: Uint8Array, headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from >= bytes.length && from > 0) return void response.writeHead(416).end();
    response.writeHead(from ? 206 : 200, { "content-length": bytes.length - from, ...headers });
    response.end(bytes.subarray(from));
  };

/** Serves all that is left but ends the connection after `count` bytes more. */
const breakAfter =
  (count: number): Answer =>
  (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from ? 206 : 200, { "content-length": CONTENT.length - from });
    response.write(CONTENT.subarray(from, from + count), () => response.destroy());
  };

const missing: Answer = (_, response) => void response.writeHead(404).end("no such file");

/** The answers of the server to each path, one a request; the last one repeats. */
let answers: Record<string, Answer[]> = {};
/** The requests: path and range. */
let asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(`${request.url}${request.headers.range ? ` ${request.headers.range}` : ""}`);
  const queue = answers[request.url!];
  if (!queue) return missing(request, response);
  (queue.length > 1 ? queue.shift()! : queue[0])(request, response);
});
let base: string;
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const mirror = scratch();
let cache: string;
/** The mirror folder, where a test has one. */
let searched: string | undefined;
let said: { logs: string[]; warnings: string[]; progress: [number, number][] };
const root = scratch();
let run = 0;
beforeEach(() => {
  answers = {};
  asked = [];
  said = { logs: [], warnings: [], progress: [] };
  cache = join(root, String(run++));
  searched = undefined;
});

const get = (
  urls: string[],
  { file = "data.bin", sha256 = PIN as string | string[], signal = new AbortController().signal } = {},
  limits: Partial<Limits> = {},
) =>
  fetchFile(
    { file, urls, sha256 },
    {
      downloads: { kept: join(cache, "downloads"), mirror: searched },
      progress: (done, total) => said.progress.push([done, total]),
      log: (line) => said.logs.push(line),
      warn: (line) => said.warnings.push(line),
      signal,
    },
    limits,
  );
/** The name of an unfinished download of a process, as `PID-STARTED-HOST`. */
const partName = (owner: string) => `data.bin.${PIN.slice(0, 8)}.${owner}.part`;
const OWNER = Object.values(self()).join("-");
/** No process has a number this high. */
const DEAD = `99999999-1-${hostname()}`;
const leave = (owner: string, content: Uint8Array) => {
  mkdirSync(join(cache, "downloads"), { recursive: true });
  writeFileSync(join(cache, "downloads", partName(owner)), content);
  return join(cache, "downloads", partName(owner));
};
const inCache = () => readdirSync(join(cache, "downloads")).sort();
const fault = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  // Exit code 1 for what only the network or a server can solve, 2 for invalid input.
  const failed = error.message.includes("could not be downloaded");
  expect(error).toBeInstanceOf(failed ? DownloadError : UserError);
  expect(toStageError(error).failure.kind).toBe(failed ? "stage" : "user");
  expect(error.message).not.toContain("\n");
  return error.message;
};

describe("fetchFile from the network", () => {
  it("fetches, checks and keeps a file, and needs no network for it again", async () => {
    answers["/a"] = [serve(CONTENT)];
    const path = await get([`${base}/a`]);
    expect(readFileSync(path).equals(CONTENT)).toBe(true);
    expect(inCache()).toEqual(["data.bin"]);
    expect(said.progress.at(-1)).toEqual([0.2, 0.2]);
    expect(await get(["http://127.0.0.1:1/gone"])).toBe(path);
    expect(asked).toEqual(["/a"]);
  });

  it("resumes a broken download from where it ended, in the same run", async () => {
    answers["/a"] = [breakAfter(70_000), breakAfter(30_000), serve(CONTENT)];
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
    expect(asked).toEqual(["/a", "/a bytes=70000-", "/a bytes=100000-"]);
    expect(said.warnings).toHaveLength(2);
    expect(said.warnings[0]).toMatch(/the connection ended after 70000 of 200000 bytes; resumed$/);
  });

  it("resumes in the next run what a process that is gone has left", async () => {
    answers["/a"] = [serve(CONTENT)];
    leave(DEAD, CONTENT.subarray(0, 12_345));
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
    expect(asked).toEqual(["/a bytes=12345-"]);
    expect(inCache()).toEqual(["data.bin"]);
  });

  it("leaves alone what a living process is writing", async () => {
    answers["/a"] = [serve(CONTENT)];
    const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
    const living = `${process.ppid}-${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}-${hostname()}`;
    const elsewhere = "99999999-1-another.host";
    for (const owner of [living, elsewhere]) leave(owner, CONTENT.subarray(0, 12_345));
    await get([`${base}/a`]);
    expect(asked).toEqual(["/a"]);
    expect(inCache()).toEqual(["data.bin", partName(living), partName(elsewhere)].sort());
  });

  it("takes over from a dead process whose number another has now, and from another machine after an hour", async () => {
    for (const owner of [`${process.ppid}-1-${hostname()}`, "1-1-another.host", String(process.ppid)]) {
      answers["/a"] = [serve(CONTENT)];
      asked = [];
      cache = join(root, String(run++));
      const left = leave(owner, CONTENT.subarray(0, 12_345));
      const old = Date.now() / 1000 - 3700;
      utimesSync(left, old, old);
      await get([`${base}/a`]);
      expect(asked, owner).toEqual(["/a bytes=12345-"]);
      expect(inCache()).toEqual(["data.bin"]);
    }
  });

  it("finishes a download of which only the last check was missing", async () => {
    answers["/a"] = [serve(CONTENT)];
    leave(DEAD, CONTENT);
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
    expect(asked).toEqual(["/a bytes=200000-"]);
  });

  it("starts again when the older part belongs to another file", async () => {
    answers["/a"] = [serve(CONTENT)];
    leave(DEAD, Buffer.alloc(10_000, 7));
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
    expect(asked).toEqual(["/a bytes=10000-", "/a"]);
  });

  it("starts again where a server does not support ranges", async () => {
    const whole: Answer = (_, response) =>
      void response.writeHead(200, { "content-length": CONTENT.length }).end(CONTENT);
    answers["/a"] = [breakAfter(70_000), whole];
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
  });

  it("tries the sources in order", async () => {
    answers["/second"] = [serve(CONTENT)];
    answers["/third"] = [serve(CONTENT)];
    await get([`${base}/first`, `${base}/second`, `${base}/third`]);
    expect(asked).toEqual(["/first", "/second"]);
    expect(said.warnings).toEqual([`${base}/first: the server answered 404 Not Found`]);
  });

  it("follows redirects, not for ever", async () => {
    const to =
      (location: string): Answer =>
      (_, response) =>
        void response.writeHead(302, { location }).end();
    answers["/a"] = [to("/b")];
    answers["/b"] = [serve(CONTENT)];
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
    answers["/round"] = [to("/round")];
    expect(await fault(get([`${base}/round`], { file: "other.bin" }))).toContain("more than 5 redirects");
  });

  it("takes the bytes as they are stored, under any encoding that the server names", async () => {
    const packed = gzipSync(CONTENT);
    answers["/a.gz"] = [serve(packed, { "content-encoding": "gzip" })];
    const path = await get([`${base}/a.gz`], { file: "a.gz", sha256: sum(packed) });
    expect(readFileSync(path).equals(packed)).toBe(true);
  });

  it("takes a chunked answer without a length", async () => {
    answers["/a"] = [
      (_, response) => {
        response.writeHead(200);
        response.write(CONTENT.subarray(0, 1000));
        response.end(CONTENT.subarray(1000));
      },
    ];
    expect(readFileSync(await get([`${base}/a`])).equals(CONTENT)).toBe(true);
    expect(said.progress.at(-1)).toEqual([0.2, 0]);
  });

  it("quarantines a file with a wrong checksum, reports it, and goes on to the next source", async () => {
    const page = Buffer.from("<html>log in first</html>");
    answers["/a"] = [serve(page)];
    answers["/b"] = [serve(CONTENT)];
    expect(readFileSync(await get([`${base}/a`, `${base}/b`])).equals(CONTENT)).toBe(true);
    const kept = join(cache, "downloads", "data.bin.wrong");
    expect(said.warnings).toEqual([
      `the file from ${base}/a has sha256 ${sum(page).slice(0, 8)}… but ${PIN.slice(0, 8)}… is pinned. It was kept as ${kept}.`,
    ]);
    expect(readFileSync(kept)).toEqual(page);
  });

  it("ends with one line when no source has the pinned content", async () => {
    answers["/a"] = [serve(Buffer.from("something else"))];
    const line = await fault(get([`${base}/a`]));
    expect(line).toMatch(/^data\.bin: could not be downloaded \(the file from .*\/a has sha256 .* is pinned/);
    expect(existsSync(join(cache, "downloads", "data.bin"))).toBe(false);
  });

  it("ends with one line without a network, and keeps what arrived", async () => {
    const line = await fault(get(["http://127.0.0.1:1/data", "http://name.invalid/data"]));
    expect(line).toMatch(
      /^data\.bin: could not be downloaded \(127\.0\.0\.1:1: .*ECONNREFUSED.*; name\.invalid: .*\)\. Check the network and run again/,
    );
    answers["/a"] = [breakAfter(70_000), missing];
    expect(await fault(get([`${base}/a`]))).toContain("404");
    expect(inCache()).toEqual([partName(OWNER)]);
    answers["/a"] = [serve(CONTENT)];
    asked = [];
    await get([`${base}/a`]);
    expect(asked).toEqual(["/a bytes=70000-"]);
  });

  it("gives up on a source that always breaks", async () => {
    answers["/a"] = [breakAfter(10)];
    expect(await fault(get([`${base}/a`]))).toContain("the connection ended after 50 of 200000 bytes");
    expect(asked).toHaveLength(5);
  });

  it("says at once that an address is none", async () => {
    expect(await fault(get(["cs.toronto.edu/data"]))).toContain('"cs.toronto.edu/data" is no address');
    expect(await fault(get(["file:///etc/passwd"]))).toContain("is no address");
    expect(await fault(get([]))).toContain("no public address of this file is known");
  });

  it("ends when the run is cancelled", async () => {
    const cancel = new AbortController();
    answers["/a"] = [(_, response) => void response.writeHead(200).write(CONTENT, () => cancel.abort())];
    await expect(get([`${base}/a`, `${base}/b`], { signal: cancel.signal })).rejects.toThrow(/abort/i);
    expect(asked).toEqual(["/a"]);
  });

  it("does not blame the source for a fault of this machine", async () => {
    answers["/a"] = [serve(CONTENT)];
    mkdirSync(join(cache, "downloads", partName(OWNER)), { recursive: true });
    await expect(get([`${base}/a`, `${base}/b`])).rejects.toMatchObject({ code: "EISDIR" });
  });
});

describe("fetchFile from a source that does not do what it should", () => {
  /** Serves the file at /b, and expects that it is fetched from there, for any answer of /a. */
  const hadFromSecond = async (first: Answer, reason: string | RegExp, limits: Partial<Limits> = {}) => {
    answers["/a"] = [first];
    answers["/b"] = [serve(CONTENT)];
    expect(readFileSync(await get([`${base}/a`, `${base}/b`], {}, limits)).equals(CONTENT)).toBe(true);
    expect(said.warnings.find((line) => line.startsWith(`${base}/a: `))).toMatch(reason);
    expect(inCache().filter((name) => name.endsWith(".part"))).toEqual([]);
  };
  const redirect =
    (location: string): Answer =>
    (_, response) =>
      void response.writeHead(302, { location }).end();

  it.each([
    ["http://[", "it redirects to an invalid address"],
    ["http://127.0.0.1:99999/", "it redirects to an invalid address"],
    ["file:///etc/passwd", "it redirects to file:, which is not an address of the web"],
    ["/a", "more than 5 redirects"],
  ])("redirects to %s", (location, reason) => hadFromSecond(redirect(location), reason));

  it("says 416 to a request for all of it", () =>
    hadFromSecond((_, response) => void response.writeHead(416).end(), "the server answered 416"));

  it("says 416 to the rest of what another source began", async () => {
    leave(DEAD, CONTENT.subarray(0, 5000));
    await hadFromSecond((_, response) => void response.writeHead(416).end(), "the server answered 416");
  });

  it("answers with another range than was asked for", async () => {
    leave(DEAD, CONTENT.subarray(0, 5000));
    const answer: Answer = (_, response) =>
      void response.writeHead(206, { "content-range": "bytes 0-199999/200000" }).end(CONTENT);
    await hadFromSecond(answer, "the server sent the bytes from 0 on, not from 5000");
  });

  it("announces more than a file may have, before a byte of it is taken", () =>
    hadFromSecond(
      (_, response) => void response.writeHead(200, { "content-length": 2 ** 40 }).write("x"),
      "it announces 1099511627776 bytes, more than the 300000 that are taken",
      { mostBytes: 300_000 },
    ));

  it("never ends", () => {
    const endless: Answer = (_, response) => {
      const more = () => void response.write(Buffer.alloc(50_000), (error) => error ?? setImmediate(more));
      more();
    };
    return hadFromSecond(endless, /it sends \d+ bytes or more, more than the 300000/, { mostBytes: 300_000 });
  });

  it("never answers", () => hadFromSecond(() => {}, "no answer within 0.05 s", { stallMilliseconds: 50 }));

  it("drips", () => {
    let drip: NodeJS.Timeout;
    const drips: Answer = (_, response) => {
      drip = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(drip));
    };
    return hadFromSecond(drips, /only \d+ bytes came in 0\.1 s/, {
      stallMilliseconds: 100,
      stallBytes: 5000,
    });
  });

  it("takes longer than a download may", async () => {
    answers["/a"] = [(_, response) => void response.writeHead(200).write("x")];
    expect(await fault(get([`${base}/a`, `${base}/b`], {}, { totalMilliseconds: 100 }))).toContain(
      "not finished after",
    );
    expect(asked).toEqual(["/a"]);
  });

  it("sends fewer or more bytes than it announced", async () => {
    await hadFromSecond((_, response) => {
      response.socket!.end("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort");
    }, "the connection ended after");
    cache = join(root, String(run++));
    answers["/a"] = [
      (_, response) => {
        response.socket!.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nmore than ten bytes");
      },
    ];
    await get([`${base}/a`, `${base}/b`]);
    expect(said.warnings.at(-1)).toContain("is pinned");
  });

  it("names its status in letters that a terminal may break on", () =>
    hadFromSecond(
      (_, response) =>
        void response.socket!.end(Buffer.from("HTTP/1.1 500 \x80\x9b31mred\r\n\r\n", "latin1")),
      "the server answered 500 \\u0080\\u009b31mred",
    ));
});

describe("the secrets of an address", () => {
  it("are used, and nowhere told", async () => {
    let authorization: string | undefined;
    const url = `${base.replace("//", "//me:h%40llo@")}/a?token=s3cret`;
    const locked: Answer = (request, response) => {
      authorization = request.headers.authorization;
      response.writeHead(403).end();
    };
    answers["/a?token=s3cret"] = [locked];
    const told = [await fault(get([url])), ...said.logs, ...said.warnings];
    for (const address of [
      "ftp://me:h%40llo@host/s3cret?s3cret",
      "http://me:h?l/l#o@host:x/a",
      "me:h@llo@host/",
    ])
      told.push(await fault(get([address])));
    answers["/a?token=s3cret"] = [serve(Buffer.from("wrong"))];
    told.push(await fault(get([url])), ...said.logs, ...said.warnings);
    expect(authorization).toBe(`Basic ${Buffer.from("me:h@llo").toString("base64")}`);
    expect(told.filter((line) => /llo|h\?l|s3cret\b(?!\?)|token/.test(line.replace("/s3cret", "")))).toEqual(
      [],
    );
    expect(said.logs[0]).toBe(`fetching ${base}/a?…`);
  });
});

describe("fetchFile from a mirror", () => {
  it("looks into the mirror first", async () => {
    answers["/a"] = [serve(CONTENT)];
    searched = mirror;
    mkdirSync(join(mirror, "set"), { recursive: true });
    writeFileSync(join(mirror, "set", "data.bin"), CONTENT);
    expect(await get([`${base}/a`], { file: "set/data.bin" })).toBe(join(mirror, "set", "data.bin"));
    expect(asked).toEqual([]);
    expect(said.logs).toEqual([`set/data.bin: found in ${mirror}`]);
    rmSync(join(mirror, "set"), { recursive: true });
    await get([`${base}/a`], { file: "set/data.bin" });
    expect(asked).toEqual(["/a"]);
  });

  it("takes no file with a wrong checksum", async () => {
    answers["/a"] = [serve(CONTENT)];
    searched = mirror;
    writeFileSync(join(mirror, "data.bin"), "other");
    expect(await fault(get([`${base}/a`]))).toContain("Put the right file into the mirror");
    searched = undefined;
    await get([`${base}/a`]);
    writeFileSync(join(cache, "downloads", "data.bin"), "edited");
    expect(await fault(get([`${base}/a`]))).toContain("Delete it to try again.");
  });

  it("accepts any of several checksums", async () => {
    searched = mirror;
    writeFileSync(join(mirror, "data.bin"), CONTENT);
    await get([], { sha256: ["0".repeat(64), PIN] });
    expect(await fault(get([], { sha256: ["0".repeat(64), "1".repeat(64)] }))).toContain(
      "but 00000000… or 11111111… is pinned",
    );
  });
});

describe("pinned", () => {
  const download = { file: "a/b.bin", sha256: ["0".repeat(64), "1".repeat(64)], urls: ["https://a.b/c"] };
  const ajv = new Ajv({ useDefaults: true, allowUnionTypes: true });

  it("gives the download as the params' defaults", () => {
    const check = ajv.compile({
      type: "object",
      additionalProperties: false,
      properties: pinnedFiles({ one: download, two: { ...download, sha256: "2".repeat(64) } }),
    });
    const params: Record<string, unknown> = { two: { file: "mine.bin" } };
    expect(check(params)).toBe(true);
    expect(params).toEqual({ one: download, two: { ...download, sha256: "2".repeat(64), file: "mine.bin" } });
    expect(check({ one: { fle: "x" } })).toBe(false);
  });

  it("lets no file name leave the folder", () => {
    const check = ajv.compile({ type: "object", properties: pinned(download) });
    for (const file of ["b.bin", "my set/b (1).bin", "a/b/c"]) expect(check({ file })).toBe(true);
    for (const file of ["../b.bin", "/etc/passwd", "a/../../b", "", "a//b", "a\\..\\b"])
      expect(check({ file })).toBe(false);
    for (const sha256 of ["0".repeat(63), "G".repeat(64), [], ["0"]]) expect(check({ sha256 })).toBe(false);
  });
});
