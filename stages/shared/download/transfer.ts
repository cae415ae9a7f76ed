/** One file over HTTP, appended to the bytes that arrived before: bounded in size and in time for any server. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { shown } from "../text.ts";
import { redirected } from "./addresses.ts";
import { sizeOf } from "./partial.ts";

/** The time limits of a source. */
export interface Limits {
  /** Bytes of the whole file. */
  mostBytes: number;
  /** A source that sends fewer than `stallBytes` in so long has stalled. */
  stallMilliseconds: number;
  stallBytes: number;
  /** Of a download, all its sources and tries together. */
  totalMilliseconds: number;
}

export interface TransferContext {
  progress(done: number, total: number, unit: string): void;
  log(line: string): void;
  signal: AbortSignal;
}

const REDIRECTS = 5;
const REDIRECTING = [301, 302, 303, 307, 308];
/** Errors of this machine, which another source would meet as well. */
const OWN_ERRORS = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EISDIR", "EIO", "EMFILE", "ENFILE"];

export const isOwnError = (error: unknown): boolean =>
  OWN_ERRORS.includes((error as NodeJS.ErrnoException).code ?? "");

/**
 * Asks for a file from byte `from` on. Not by `fetch`: that unpacks what a server sends as
 * `Content-Encoding: gzip`, as some do with every .gz, and the bytes would no longer be the file's.
 */
function ask(url: URL, from: number, signal: AbortSignal, wait: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": "identity", ...(from ? { range: `bytes=${from}-` } : {}) };
    const get = url.protocol === "https:" ? getHttps : getHttp;
    const call = get(url, { signal, headers }, resolve);
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${wait / 1000} s`)), wait);
    call.on("close", () => clearTimeout(timer));
    call.on("response", () => clearTimeout(timer));
    call.on("error", reject);
  });
}

/** {@link ask}, following redirects. */
async function open(url: URL, from: number, signal: AbortSignal, wait: number): Promise<IncomingMessage> {
  let address = url;
  for (let redirects = 0; ; redirects++) {
    const response = await ask(address, from, signal, wait);
    const { statusCode = 0, headers } = response;
    if (!REDIRECTING.includes(statusCode) || headers.location === undefined) return response;
    response.destroy();
    if (redirects === REDIRECTS) throw new Error(`more than ${REDIRECTS} redirects`);
    address = redirected(headers.location, address);
  }
}

/** Where the body of an answer begins in the file. @throws Error when the server's answer does not fit the request */
function startOf({ statusCode, statusMessage, headers }: IncomingMessage, asked: number): number {
  if (statusCode === 200) return 0;
  if (statusCode !== 206) throw new Error(shown(`the server answered ${statusCode} ${statusMessage ?? ""}`));
  const start = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
  if (start !== undefined && Number(start) !== asked)
    throw new Error(`the server sent the bytes from ${start} on, not from ${asked}`);
  return asked;
}

/**
 * Appends what `url` serves to `part`, from where `part` ends.
 * @returns whether it continued an older part
 * @throws Error when the source fails, with the received bytes still in `part`; a file larger than `mostBytes` is removed
 */
export async function transfer(
  url: URL,
  part: string,
  { progress, log, signal }: TransferContext,
  { mostBytes, stallMilliseconds, stallBytes }: Limits,
): Promise<boolean> {
  const have = sizeOf(part);
  const response = await open(url, have, signal, stallMilliseconds);
  const tooLarge = (bytes: string) => {
    rmSync(part, { force: true });
    return new Error(`it ${bytes}, more than the ${mostBytes} that are taken from a server`);
  };
  let stalled = "";
  let out: number | undefined;
  let watch: NodeJS.Timeout | undefined;
  let done = 0;
  let total = 0;
  try {
    if (response.statusCode === 416 && have > 0) return true; // nothing is left to fetch
    done = startOf(response, have);
    const resumed = response.statusCode === 206 && have > 0;
    if (resumed) log(`resumed at ${done} bytes`);
    const announced = response.headers["content-length"];
    total = announced === undefined ? 0 : done + Number(announced);
    if (total > mostBytes) throw tooLarge(`announces ${total} bytes`);
    let before = done;
    watch = setInterval(() => {
      if (done - before < stallBytes) {
        stalled = `only ${done - before} bytes came in ${stallMilliseconds / 1000} s, ${done} in all`;
        response.destroy();
      }
      before = done;
    }, stallMilliseconds);
    // Written chunk by chunk, not piped: what arrived before an error is then in the file.
    out = openSync(part, done > 0 ? "a" : "w");
    for await (const chunk of bodyOf(
      response,
      () => stalled || `the connection ended after ${done} of ${total || "unknown"} bytes`,
    )) {
      if (done + chunk.length > mostBytes) throw tooLarge(`sends ${done + chunk.length} bytes or more`);
      for (let written = 0; written < chunk.length; ) written += writeSync(out, chunk, written);
      done += chunk.length;
      progress(done / 1e6, total / 1e6, "MB");
    }
    if (stalled) throw new Error(stalled);
    return resumed;
  } finally {
    clearInterval(watch);
    response.destroy();
    if (out !== undefined) closeSync(out);
  }
}

/** The body of an answer. @throws Error with `reason` when it is truncated */
async function* bodyOf(response: IncomingMessage, reason: () => string): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch {
    throw new Error(reason());
  }
}
