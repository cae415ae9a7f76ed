/** Downloads that are checked, resumed, and looked for near by first. */
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type DownloadFolders, type SchemaOf, UserError } from "../../../runner/stage.ts";
import { shown } from "../text.ts";
import { shownAddress } from "./addresses.ts";
import { partOf, sizeOf } from "./partial.ts";
import { isOwnError, type Limits, transfer } from "./transfer.ts";

/** No source could be read: a failure of the run, which a retry may solve, not invalid input. */
export class DownloadError extends Error {
  override name = "DownloadError";
}

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
export function pinned({ file, sha256, urls }: Download): {
  [Name in keyof Download]: SchemaOf<Download[Name]>;
} {
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

/** The refusal of a file whose checksum nobody gave. @param name of the part */
export const noChecksum = (name: string): string =>
  `no checksum of the file of "${name}" has been verified. Give it once, of a file from a source that you trust: { use: ${name}, sha256: … }; sha256sum FILE prints it.`;

/** As {@link pinned}, for a file whose checksum was not verified: the user gives it. */
export function unverified({ file, urls }: Omit<Download, "sha256">): ReturnType<typeof pinned> {
  const { sha256, ...known } = pinned({ file, urls, sha256: "" });
  const { default: _, ...schema } = sha256;
  return {
    ...known,
    sha256: {
      ...schema,
      optional: true,
      description: "checksum of the file, which was not verified here: give it",
    },
  };
}

/** As {@link pinned}, for a part that needs several files: one param a file, as `{ file, sha256, urls }`. */
export function pinnedFiles<Name extends string>(
  downloads: Record<Name, Download>,
): Record<Name, SchemaOf<Download>> {
  const schemas = Object.entries<Download>(downloads).map(([name, download]) => [
    name,
    { type: "object", additionalProperties: false, default: {}, properties: pinned(download) },
  ]);
  return Object.fromEntries(schemas);
}

export interface FetchContext {
  downloads: DownloadFolders;
  progress(done: number, total: number, unit: string): void;
  log(line: string): void;
  warn(line: string): void;
  signal: AbortSignal;
}

const HOUR = 60 * 60_000;
/** Larger than every backbone and data set that is known here, and slower than any of their servers. */
const LIMITS: Limits = {
  mostBytes: 2 ** 32,
  stallMilliseconds: 60_000,
  stallBytes: 16_384,
  totalMilliseconds: 24 * HOUR,
};
/** How often one source is asked again while every time something more arrives. */
const TRIES = 5;

/** sha256 of a file, streamed. */
async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest("hex");
}

/** The checksums that fit a file, and how they are told. */
class Pin {
  readonly sums: string[];
  readonly text: string;
  constructor({ sha256 }: Download) {
    this.sums = [sha256].flat();
    this.text = this.sums.map((sum) => `${sum.slice(0, 8)}…`).join(" or ");
  }
  wrong(where: string, found: string): string {
    return `${where} has sha256 ${found.slice(0, 8)}… but ${this.text} is pinned.`;
  }
}

/** A file in the mirror or among finished downloads. @throws UserError when its content is another one */
async function findLocally(file: string, pin: Pin, context: FetchContext): Promise<string | undefined> {
  const { kept, mirror } = context.downloads;
  for (const folder of [mirror, kept]) {
    const path = folder && join(folder, file);
    const stats = path ? statSync(path, { throwIfNoEntry: false }) : undefined;
    if (!path || !stats) continue;
    const next =
      folder === mirror
        ? "Put the right file into the mirror, or leave --mirror out."
        : "Delete it to try again.";
    if (!stats.isFile()) throw new UserError(`${path}: not a file. ${next}`);
    const found = await hashOf(path, context.signal);
    if (!pin.sums.includes(found)) throw new UserError(`${pin.wrong(path, found)} ${next}`);
    context.log(`${file}: found in ${folder}`);
    return path;
  }
  return undefined;
}

/** An address that a person gave. @throws UserError when it is none of the web */
function webAddress(file: string, address: string): URL {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new UserError(
      `${file}: "${shown(shownAddress(address))}" is no address of the web. It must start with https:// or http://.`,
    );
  return new URL(address);
}

/**
 * Fetches a file from one source, resumed as often as something more arrives.
 * @returns why it failed; undefined when `finished` is there
 * @throws when this machine failed, or the run was cancelled
 */
async function fetchFrom(
  url: URL,
  pin: Pin,
  { part, finished }: { part: string; finished: string },
  context: FetchContext,
  limits: Limits & { deadline: AbortSignal },
): Promise<string | undefined> {
  const address = shownAddress(url);
  const signal = AbortSignal.any([context.signal, limits.deadline]);
  for (let tries = 1; ; tries++) {
    const before = sizeOf(part);
    let resumed: boolean;
    try {
      context.log(`fetching ${address}`);
      resumed = await transfer(url, part, { ...context, signal }, limits);
    } catch (error) {
      context.signal.throwIfAborted();
      if (isOwnError(error)) throw error;
      const { message, code = "" } = error as NodeJS.ErrnoException;
      const reason = limits.deadline.aborted
        ? `not finished after ${limits.totalMilliseconds / HOUR} hours`
        : shown(message || code);
      const again = sizeOf(part) > before && tries < TRIES && !limits.deadline.aborted;
      context.warn(`${address}: ${reason}${again ? "; resumed" : ""}`);
      if (again) continue;
      return `${url.host}: ${reason}`;
    }
    const found = await hashOf(part, context.signal);
    if (pin.sums.includes(found)) {
      renameSync(part, finished);
      return undefined;
    }
    const kept = `${finished}.wrong`;
    renameSync(part, kept);
    const reason = `${pin.wrong(`the file from ${address}`, found)} It was kept as ${kept}.`;
    context.warn(reason);
    if (!resumed || tries >= TRIES) return reason; // else the older part may have been the wrong one: from the start
  }
}

/**
 * Finds a file in the mirror folder (`--mirror`), among finished downloads, or on the network, checks its
 * sha256 and returns its path. An unfinished download is resumed, in this run or the next.
 * @param limits for tests
 * @throws DownloadError when no source serves it or its content is not the pinned one
 * @throws UserError where a person's address, mirror or earlier file is wrong
 */
export async function fetchFile(
  download: Download,
  context: FetchContext,
  limits: Partial<Limits> = {},
): Promise<string> {
  if (!download.sha256) throw new UserError(noChecksum(download.file.replace(/\.onnx$/, "")));
  const { file, urls } = download;
  const pin = new Pin(download);
  const local = await findLocally(file, pin, context);
  if (local !== undefined) return local;
  if (urls.length === 0)
    throw new UserError(
      `${file}: no public address of this file is known. Put it (sha256 ${pin.text}) into a folder and name that with --mirror DIR.`,
    );
  const addresses = urls.map((address) => webAddress(file, address));
  const finished = join(context.downloads.kept, file);
  mkdirSync(dirname(finished), { recursive: true });
  const paths = { part: partOf(finished, pin.sums[0]), finished };
  const bounds = { ...LIMITS, ...limits };
  const deadline = AbortSignal.timeout(bounds.totalMilliseconds);
  const reasons: string[] = [];
  for (const url of addresses) {
    const reason = await fetchFrom(url, pin, paths, context, { ...bounds, deadline });
    if (reason === undefined) return finished;
    reasons.push(reason);
    if (deadline.aborted) break;
  }
  throw new DownloadError(
    `${file}: could not be downloaded (${reasons.join("; ")}). Check the network and run again: what arrived is kept. Or put the file into a folder and name that with --mirror DIR.`,
  );
}
