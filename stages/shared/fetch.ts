/** Downloads that are checked, resumed, and looked for near by first. */
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ParamSchema, UserError } from "../../runner/stage.ts";

/** A file to have: its name, where it is served, what it must be. */
export interface Download {
  /** Its path in a mirror folder. */
  file: string;
  /** Sources, tried in order; none for a file that only a mirror can hold. */
  urls: string[];
  /** Its sha256; a list where the same content is packed in several ways. */
  sha256: string | string[];
}

/** Params that pin a download, for a part's `params`: each can be overridden in pipeline.yaml or by --set. */
export function pinned({ file, sha256, urls }: Download): Record<string, ParamSchema> {
  const sum = { type: "string", pattern: "^[0-9a-f]{64}$" };
  return {
    file: {
      type: "string",
      pattern: "^[^./\\\\][^/\\\\]*(/[^./\\\\][^/\\\\]*)*$",
      default: file,
      description: "file name, also in a mirror folder",
    },
    sha256: {
      anyOf: [sum, { type: "array", items: sum, minItems: 1 }],
      default: sha256,
      description: "pinned checksum, or a list of which one must fit",
    },
    urls: { type: "array", items: { type: "string" }, default: urls, description: "sources, tried in order" },
  };
}

/** As {@link pinned}, for a part that needs several files: one param a file, as `{ file, sha256, urls }`. */
export function pinnedFiles(downloads: Record<string, Download>): Record<string, ParamSchema> {
  return Object.fromEntries(
    Object.entries(downloads).map(([name, download]) => [
      name,
      { type: "object", additionalProperties: false, default: {}, properties: pinned(download) },
    ]),
  );
}

export interface FetchContext {
  progress(done: number, total: number, unit: string): void;
  log(line: string): void;
  warn(line: string): void;
  signal: AbortSignal;
}

/** A source that says nothing for so long has broken down. */
const IDLE_MILLISECONDS = 60_000;
const REDIRECTS = 5;
/** How often one source is asked again while every time something more arrives. */
const TRIES = 5;
/** Faults of this machine, which another source would meet as well. */
const OWN_FAULTS = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EISDIR", "EIO"];

/** Where broken downloads wait to be resumed, and finished ones for the next run. */
const downloads = () => resolve(process.env.DEEPHASH_CACHE ?? "cache", "downloads");

/** sha256 of a file, streamed. */
async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest("hex");
}

/**
 * Asks for a file from byte `from` on, following redirects. Not by `fetch`: that unpacks what a server sends
 * as `Content-Encoding: gzip`, as some do with every .gz, and the bytes would no longer be the file's.
 */
function request(
  url: URL,
  from: number,
  signal: AbortSignal,
  redirects = REDIRECTS,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": "identity", ...(from ? { range: `bytes=${from}-` } : {}) };
    const get = url.protocol === "https:" ? getHttps : getHttp;
    const call = get(url, { signal, headers, timeout: IDLE_MILLISECONDS }, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode < 300 || statusCode >= 400 || !headers.location) return resolve(response);
      response.resume();
      if (redirects === 0) return reject(new Error("the server sends from one address to the next"));
      resolve(request(new URL(headers.location, url), from, signal, redirects - 1));
    });
    call.on("timeout", () => call.destroy(new Error(`nothing came for ${IDLE_MILLISECONDS / 1000} s`)));
    call.on("error", reject);
  });
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Appends what `url` serves to `part`, from where `part` ends. @returns whether it went on with an older part */
async function transfer(url: URL, part: string, context: FetchContext): Promise<boolean> {
  const have = sizeOf(part);
  const response = await request(url, have, context.signal);
  const { statusCode, statusMessage, headers } = response;
  if (statusCode === 416) {
    response.destroy();
    return true; // nothing is left to fetch
  }
  if (statusCode !== 200 && statusCode !== 206) {
    response.destroy();
    throw new Error(`the server answered ${statusCode} ${statusMessage}`);
  }
  const resumed = statusCode === 206;
  const start = resumed ? have : 0;
  if (resumed) context.log(`resumed at ${start} bytes`);
  const total = headers["content-length"] === undefined ? 0 : start + Number(headers["content-length"]);
  let done = start;
  // Written chunk by chunk, not piped: what arrived before a fault is then in the file.
  const out = openSync(part, resumed ? "a" : "w");
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      for (let written = 0; written < chunk.length; ) written += writeSync(out, chunk, written);
      done += chunk.length;
      context.progress(done / 1e6, total / 1e6, "MB");
    }
  } catch (error) {
    if (OWN_FAULTS.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw new Error(`the connection ended after ${done} of ${total || "unknown"} bytes`);
  } finally {
    closeSync(out);
  }
  return resumed;
}

/**
 * The path to collect a download under. Each process has its own, so that two never write into one file; what
 * a process that is gone left there is taken over.
 */
function partOf(path: string, sha256: string): string {
  const stem = `${basename(path)}.${sha256.slice(0, 8)}.`;
  const own = join(dirname(path), `${stem}${process.pid}.part`);
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  };
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(stem) || !name.endsWith(".part")) continue;
    const left = join(dirname(path), name);
    if (left === own || isAlive(Number(name.slice(stem.length, -".part".length)))) continue;
    try {
      if (sizeOf(left) > sizeOf(own)) renameSync(left, own);
      else rmSync(left);
    } catch {} // another process was faster
  }
  return own;
}

/**
 * Finds a file in the mirror folder (`--mirror`), among finished downloads, or on the network, checks its
 * sha256 and returns its path. A broken download is resumed, in this run or the next.
 * @throws UserError when no source serves it or its content is not the pinned one
 */
export async function fetchFile(download: Download, context: FetchContext): Promise<string> {
  const { file, urls } = download;
  const sums = [download.sha256].flat();
  const mirror = process.env.DEEPHASH_MIRROR;
  const pin = `${sums.map((sum) => `${sum.slice(0, 8)}…`).join(" or ")}`;
  const wrong = (where: string, found: string) =>
    `${where} has sha256 ${found.slice(0, 8)}… but ${pin} is pinned.`;

  for (const folder of [mirror, downloads()]) {
    const path = folder && join(folder, file);
    if (!path || !existsSync(path)) continue;
    const found = await hashOf(path, context.signal);
    if (!sums.includes(found))
      throw new UserError(
        `${wrong(path, found)} ${folder === mirror ? "Put the right file into the mirror, or leave --mirror out." : "Delete it to try again."}`,
      );
    context.log(`${file}: found in ${folder}`);
    return path;
  }
  if (urls.length === 0)
    throw new UserError(
      `${file}: no public address of this file is known. Put it (sha256 ${pin}) into a folder and name that with --mirror DIR.`,
    );
  const finished = join(downloads(), file);
  mkdirSync(dirname(finished), { recursive: true });
  const part = partOf(finished, sums[0]);
  const faults: string[] = [];
  for (const address of urls) {
    if (!/^https?:\/\//.test(address) || !URL.canParse(address))
      throw new UserError(
        `${file}: "${address}" is no address of the web. It must start with https:// or http://.`,
      );
    const url = new URL(address);
    for (let tries = 1; tries <= TRIES; tries++) {
      const before = sizeOf(part);
      let resumed: boolean;
      try {
        context.log(`fetching ${url}`);
        resumed = await transfer(url, part, context);
      } catch (error) {
        context.signal.throwIfAborted();
        const { message, code = "" } = error as NodeJS.ErrnoException;
        if (OWN_FAULTS.includes(code)) throw error;
        const again = sizeOf(part) > before && tries < TRIES;
        context.warn(`${url}: ${message || code}${again ? "; resumed" : ""}`);
        if (again) continue;
        faults.push(`${url.host}: ${message || code}`);
        break;
      }
      const found = await hashOf(part, context.signal);
      if (sums.includes(found)) {
        renameSync(part, finished);
        return finished;
      }
      const kept = `${finished}.wrong`;
      renameSync(part, kept);
      const fault = `${wrong(`what ${url} serves`, found)} It was kept as ${kept}.`;
      context.warn(fault);
      if (resumed && tries < TRIES) continue; // the older part may have been the wrong one: once more from the start
      faults.push(fault);
      break;
    }
  }
  throw new UserError(
    `${file}: could not be downloaded (${faults.join("; ")}). Check the network and run again: what arrived is kept. Or put the file into a folder and name that with --mirror DIR.`,
  );
}
