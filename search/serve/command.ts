/** `npx deephash serve`: a page and an interface to search an index. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { shown } from "../../stages/shared/text.ts";
import { indexFolder, PUBLISHED } from "../location.ts";
import { Encoding } from "./encoding.ts";
import { LIMITS } from "./limits.ts";
import { Live } from "./live.ts";
import { readPage } from "./page.ts";
import { makeServer } from "./server.ts";

export interface ServeOptions {
  index?: string;
  host: string;
  port: number;
  /** File with the token. */
  tokenFile?: string;
  /** Names of the server besides localhost and addresses. */
  allowHost?: string[];
  /** Requests a second from one address. */
  rate: number;
}

const isLoopback = (host: string) => host === "localhost" || host === "::1" || /^127\./.test(host);

/** Characters that a cookie and an address hold as they are. */
const TOKEN = /^[\w-]{16,256}$/;

/** The token; none on the loopback, unless a file names one. @throws UserError for a file without one */
function tokenOf({ host, tokenFile }: ServeOptions, from: string): string | undefined {
  if (tokenFile === undefined) return isLoopback(host) ? undefined : randomBytes(24).toString("base64url");
  const path = resolve(from, tokenFile);
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(
      `serve: --token-file ${shown(path)}: ${code === "ENOENT" ? "no such file" : `unreadable (${message})`}. Make one: openssl rand -hex 24 > FILE`,
    );
  }
  if (!TOKEN.test(token))
    throw new UserError(
      `serve: --token-file ${shown(path)}: a token has 16 to 256 letters, digits, _ or -. Make one: openssl rand -hex 24 > FILE`,
    );
  return token;
}

/** @throws UserError when the server cannot listen there */
function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      const why =
        code === "EADDRINUSE"
          ? `another program has port ${port}. Choose another: --port ${port + 1}, or 0 for any.`
          : code === "EACCES"
            ? `port ${port} needs more rights. Choose one from 1024: --port 8000.`
            : `it cannot listen there (${code}).`;
      reject(new UserError(`serve: ${shown(host)}:${port}: ${why}`));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** The addresses that a host is reached at. */
const addressesOf = (host: string): string[] =>
  host === "0.0.0.0" || host === "::"
    ? Object.values(networkInterfaces())
        .flat()
        .flatMap((one) =>
          one && (host === "::" || one.family === "IPv4") && !one.address.startsWith("fe80:")
            ? one.address
            : [],
        )
    : [host];

/** Waits for Ctrl-C, or for `stop`. */
const untilStopped = (stop?: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve(undefined));
    stop?.addEventListener("abort", () => resolve(undefined), { once: true });
  });

/** Ends the requests that are being answered, and closes. */
async function close(server: Server): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), LIMITS.stop);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(late);
}

/**
 * Serves an index until Ctrl-C.
 * @param from the folder that paths start at; @param stop ends it as well
 * @returns the exit code
 */
export async function serve(
  options: ServeOptions,
  root: string,
  from: string,
  stop?: AbortSignal,
): Promise<number> {
  const { host, port, rate, allowHost = [] } = options;
  if (port > 65_535) throw new UserError(`serve: --port ${port}: ports go up to 65535.`);
  const token = tokenOf(options, from);
  const folder = indexFolder(options.index, root, from);
  const stopped = untilStopped(stop);
  const scratch = mkdtempSync(join(tmpdir(), "deephash-"));
  const encoding = new Encoding(folder);
  let live: Live | undefined;
  try {
    const opening = Promise.all([Live.open(folder, () => encoding.restart()), readPage(), encoding.open()]);
    const opened = await Promise.race([opening, stopped]);
    if (!opened) return 0;
    const page = opened[1];
    live = opened[0];
    const name = basename(basename(folder) === PUBLISHED ? dirname(folder) : folder);
    const names = allowHost.map((one) => one.toLowerCase());
    const server = makeServer({ name, live, encoding, scratch, page }, { token, names, rate });
    const { port: own } = await listen(server, host, port);
    console.log(`${folder}: ${live.current.index.codes.rows} images. Ctrl-C stops.`);
    for (const at of addressesOf(host))
      console.log(`  http://${isIP(at) === 6 ? `[${at}]` : at}:${own}/${token ? `?token=${token}` : ""}`);
    await stopped;
    await close(server);
    return 0;
  } finally {
    encoding.close();
    await live?.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}
