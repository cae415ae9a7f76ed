/** Checks of the sender: this server's own page, and programs; no page of another site in somebody's browser. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { Refusal } from "./refusal.ts";

/** Name of the cookie that holds the token. */
const COOKIE = "deephash";

export interface GuardOptions {
  /** Without it, none is asked for. */
  token?: string;
  /** Names of the server besides `localhost` and addresses. */
  names: string[];
  /** Requests a second from one address, on average. */
  rate: number;
}

const digest = (text: string) => createHash("sha256").update(text).digest();
/** Takes the same time for every text. */
const isSame = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));

/** The host of an `Origin`, or of a `Host`, in lower case and with its port. */
function hostOf(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

/**
 * The `Host` must be an address, `localhost`, or one of some names. Another site can point a name of its own to this
 * machine (DNS rebinding), but not an address.
 */
function checkHost(request: IncomingMessage, names: string[]): string {
  const host = request.headers.host ?? "";
  const url = /^[\w.:[\]-]+$/.test(host) ? hostOf(`http://${host}`) : undefined;
  const name = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
  if (!url || !(isIP(name) || name === "localhost" || names.includes(name)))
    throw new Refusal(
      421,
      `This server is not called ${JSON.stringify(host)}. Start it with --allow-host NAME.`,
    );
  return url.host;
}

/** Browsers say where a request comes from: from this server's page, or from a person (an address that was typed). */
function checkOrigin({ headers }: IncomingMessage, host: string): void {
  const { origin, "sec-fetch-site": site } = headers;
  const isOwn = origin === undefined || hostOf(origin)?.host === host;
  if (!isOwn || !(site === undefined || site === "same-origin" || site === "none"))
    throw new Refusal(403, "Requests of other sites get no answer. Type the address into the browser.");
}

/** The value of the cookie. */
const cookieOf = ({ headers }: IncomingMessage): string | undefined =>
  headers.cookie
    ?.split(";")
    .map((one) => one.trim())
    .find((one) => one.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);

/** The cookie that holds a token. No script reads it, and no other site's request carries it. */
export const cookieFor = (token: string): string =>
  `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000`;

/** Addresses whose requests are counted at the same time. */
const MOST_ADDRESSES = 10_000;
/** Seconds of requests that may come at once. */
const BURST_SECONDS = 3;

/** Counts requests by address: a bucket of tokens for each, filled at the rate. */
class Rate {
  private readonly buckets = new Map<string, { left: number; at: number }>();
  private readonly rate: number;

  constructor(rate: number) {
    this.rate = rate;
  }

  check(address: string, now = performance.now()): void {
    const most = this.rate * BURST_SECONDS;
    const { left, at } = this.buckets.get(address) ?? { left: most, at: now };
    const filled = Math.min(most, left + (this.rate * (now - at)) / 1000);
    if (filled < 1)
      throw new Refusal(429, `More than ${this.rate} requests a second.`, Math.ceil(1 / this.rate));
    this.buckets.delete(address);
    this.buckets.set(address, { left: filled - 1, at: now }); // the latest last
    if (this.buckets.size > MOST_ADDRESSES) this.buckets.delete(this.buckets.keys().next().value!);
  }
}

/** Checks every request before anything else is read of it. */
export class Guard {
  private readonly options: GuardOptions;
  private readonly rate: Rate;

  constructor(options: GuardOptions) {
    this.options = options;
    this.rate = new Rate(options.rate);
  }

  /** @throws Refusal unless the request comes from a person, a program or this server's page, and not too often */
  checkSender(request: IncomingMessage): void {
    this.rate.check(request.socket.remoteAddress ?? "");
    checkOrigin(request, checkHost(request, this.options.names));
  }

  /** @throws Refusal unless the request has the token. */
  checkToken(request: IncomingMessage): void {
    const { token } = this.options;
    if (token === undefined) return;
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const given = bearer ?? cookieOf(request);
    if (given === undefined || !isSame(given, token))
      throw new Refusal(
        401,
        "The token is missing or wrong. Open the address that the server printed at its start.",
      );
  }

  /** Whether a text is the token. */
  isToken(text: string): boolean {
    const { token } = this.options;
    return token !== undefined && isSame(text, token);
  }
}
