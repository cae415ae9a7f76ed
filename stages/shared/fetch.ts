/** Downloads that are checked, resumed, and looked for near by first. */
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ParamSchema, UserError } from "../../runner/stage.ts";

/** A file to have: its name, where it is served, what it must be. */
export interface Download {
  /** Its name in a mirror folder. */
  file: string;
  /** Sources, tried in order; none for a file that only a mirror can hold. */
  urls: string[];
  sha256: string;
}

/** Params that pin a download, for a part's `params`: each can be overridden in pipeline.yaml or by --set. */
export function pinned({ file, sha256, urls }: Download): Record<string, ParamSchema> {
  return {
    file: { type: "string", default: file, description: "file name, also in a mirror folder" },
    sha256: { type: "string", pattern: "^[0-9a-f]{64}$", default: sha256, description: "pinned checksum" },
    urls: { type: "array", items: { type: "string" }, default: urls, description: "sources, tried in order" },
  };
}

export interface FetchContext {
  progress(done: number, total: number, unit: string): void;
  log(line: string): void;
  warn(line: string): void;
  signal: AbortSignal;
}

/** Where broken downloads wait to be resumed, and finished ones for the next run. */
const FOLDER = resolve("cache/downloads");

/** sha256 of a file, streamed. */
async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest("hex");
}

/** Appends what `url` serves to `part`, from where `part` ends. */
async function transfer(url: string, part: string, context: FetchContext): Promise<void> {
  const have = existsSync(part) ? statSync(part).size : 0;
  const response = await fetch(url, {
    signal: context.signal,
    headers: have ? { Range: `bytes=${have}-` } : {},
  });
  if (response.status === 416) return; // nothing is left to fetch
  if (!response.ok || !response.body)
    throw new Error(`the server answered ${response.status} ${response.statusText}`);
  const resumed = response.status === 206;
  const start = resumed ? have : 0;
  if (resumed) context.log(`resumed at ${start} bytes`);
  const total = start + Number(response.headers.get("content-length") ?? 0);
  let done = start;
  const counted = new Transform({
    transform(chunk, _, next) {
      done += chunk.length;
      context.progress(done / 1e6, total / 1e6, "MB");
      next(null, chunk);
    },
  });
  await pipeline(
    Readable.fromWeb(response.body as never),
    counted,
    createWriteStream(part, { flags: resumed ? "a" : "w" }),
    { signal: context.signal },
  );
  if (total > start && done < total) throw new Error(`the connection ended after ${done} of ${total} bytes`);
}

/**
 * Finds a file in the mirror folder (`--mirror`), among finished downloads, or on the network, checks its
 * sha256 and returns its path. A broken download is resumed by the next run.
 * @throws UserError when no source serves it or its content is not the pinned one
 */
export async function fetchFile(download: Download, context: FetchContext): Promise<string> {
  const { file, urls, sha256 } = download;
  const mirror = process.env.DEEPHASH_MIRROR;
  const wrong = (path: string, found: string, kept: string) =>
    new UserError(`${path} has sha256 ${found.slice(0, 8)}… but ${sha256.slice(0, 8)}… is pinned. ${kept}`);

  for (const folder of [mirror, FOLDER]) {
    const path = folder && join(folder, file);
    if (!path || !existsSync(path)) continue;
    const found = await hashOf(path, context.signal);
    if (found !== sha256)
      throw wrong(
        path,
        found,
        folder === mirror
          ? "Put the right file into the mirror, or leave --mirror out."
          : "Delete it to try again.",
      );
    context.log(`${file}: found in ${folder}`);
    return path;
  }
  if (urls.length === 0)
    throw new UserError(
      `${file}: no public address of this file is known. Put it (sha256 ${sha256.slice(0, 8)}…) into a folder and name that with --mirror DIR.`,
    );
  mkdirSync(FOLDER, { recursive: true });
  const part = join(FOLDER, `${file}.${sha256.slice(0, 8)}.part`);
  const faults: string[] = [];
  for (const url of urls) {
    try {
      context.log(`fetching ${url}`);
      await transfer(url, part, context);
    } catch (error) {
      context.signal.throwIfAborted();
      const { message, cause } = error as Error & { cause?: Error };
      faults.push(`${new URL(url).host}: ${cause?.message ?? message}`);
      context.warn(`${url}: ${cause?.message ?? message}`);
      continue;
    }
    const found = await hashOf(part, context.signal);
    const finished = join(FOLDER, file);
    if (found === sha256) {
      renameSync(part, finished);
      return finished;
    }
    const kept = join(FOLDER, `${file}.wrong`);
    rmSync(kept, { force: true });
    renameSync(part, kept);
    throw wrong(
      `${url}`,
      found,
      `The file was kept as ${kept}; run again to fetch it anew, or pin another sha256.`,
    );
  }
  throw new UserError(
    `${file}: could not be downloaded (${faults.join("; ")}). Check the network and run again: what arrived is kept. Or put the file into a folder and name that with --mirror DIR.`,
  );
}
