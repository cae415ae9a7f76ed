/** An image at an address of the web, read into a file: limited in size, time and type, and not from private networks. */
import { lookup } from "node:dns";
import { createWriteStream } from "node:fs";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { pipeline } from "node:stream/promises";
import ipaddr from "ipaddr.js";
import { UserError } from "../runner/stage.ts";
import { redirected, shownAddress } from "../stages/shared/download/addresses.ts";
import { limited } from "./limited.ts";

export interface FetchOptions {
  /** Whether an IP address is allowed; {@link isPublic} unless given. */
  allows?: (address: string) => boolean;
  /** Bytes. */
  most?: number;
  /** Milliseconds for all. */
  timeout?: number;
}

type Allows = NonNullable<FetchOptions["allows"]>;

const MOST_BYTES = 32 << 20;
const TIMEOUT_MILLISECONDS = 30_000;
const MOST_REDIRECTS = 5;
/** Types of an answer that may be an image; its bytes decide. */
const TYPE = /^(image\/|application\/octet-stream|binary\/octet-stream)/i;

/** Whether an address is one of the public internet: not of this machine, a private network, or one of special use. */
export function isPublic(address: string): boolean {
  return ipaddr.process(address).range() === "unicast"; // of IPv4 in IPv6, the IPv4 address is meant
}

/** @throws Error for an address that may not be asked */
function checkAllowed(host: string, address: string, allows: Allows): void {
  if (allows(address)) return;
  throw new Error(
    `${host} is ${address === host ? "" : `at ${address}, `}an address of this machine or of a private network. Allow it with --allow-private`,
  );
}

/** Looks a name up as Node does, and refuses it for any address that may not be asked: the connection takes one of these. */
const lookupWith =
  (allows: Allows): LookupFunction =>
  (host, options, done) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      try {
        if (error) throw error;
        for (const { address } of found) checkAllowed(host, address, allows);
      } catch (fault) {
        done(fault as Error, []);
        return;
      }
      if (options.all) done(null, found);
      else done(null, found[0].address, found[0].family);
    });

/** The answer of a server, its body not read. */
function get(url: URL, signal: AbortSignal, allows: Allows): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host)) checkAllowed(host, host, allows); // a number is not looked up
  const request = url.protocol === "https:" ? requestSecure : requestPlain;
  const headers = { Accept: "image/*", "User-Agent": "deephash" };
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers, signal, lookup: lookupWith(allows) })
      .on("response", resolve)
      .on("error", reject)
      .end();
  });
}

/** Follows redirects; each address is checked. @throws Error when the answer is no image */
async function imageAt(address: URL, signal: AbortSignal, allows: Allows): Promise<IncomingMessage> {
  let url = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await get(url, signal, allows);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) {
      if (TYPE.test(headers["content-type"] ?? "")) return response;
      response.destroy();
      throw new Error(`its type is ${headers["content-type"] ?? "not told"}, not that of an image`);
    }
    response.destroy();
    if (statusCode < 300 || statusCode > 399 || !headers.location)
      throw new Error(`the server answers with ${statusCode}`);
    url = redirected(headers.location, url);
  }
  throw new Error(`it redirects more than ${MOST_REDIRECTS} times`);
}

/** The address in a text. @throws UserError when it is none of the web */
export function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol))
    throw new UserError(
      `search: --url ${shownAddress(text)}: write an address that begins with https:// or http://.`,
    );
  return url;
}

/** Reads an image into a file. @throws UserError with the reason */
export async function fetchImage(url: URL, path: string, options: FetchOptions = {}): Promise<void> {
  const { allows = isPublic, most = MOST_BYTES, timeout = TIMEOUT_MILLISECONDS } = options;
  const signal = AbortSignal.timeout(timeout);
  try {
    const response = await imageAt(url, signal, allows);
    await pipeline(response, limited(most, "it is larger than"), createWriteStream(path), { signal });
  } catch (error) {
    const why = signal.aborted ? `it took longer than ${timeout / 1000} s` : (error as Error).message;
    throw new UserError(`${shownAddress(url)}: ${why}.`);
  }
}
