/** Requests as no browser sends them, and a server to send them to. */
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { vi } from "vitest";
import { type ServeOptions, serve } from "../../../search/serve/command.ts";

/** An image that an answer names. */
export interface Named {
  id: string;
  image: string;
  class: string;
  code: string;
  distance: number;
}

/** All that answers hold; each holds some of it. */
export interface Body {
  error: string;
  nearest: Named[];
  images: Named[];
  bits: number;
  code: string;
  outputs: number[];
  content: string;
  encoder: string;
}

export interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json: () => Body;
}

export interface Sent {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: Uint8Array | string;
}

/** Sends a request; the path goes out as it is. */
export function ask(
  port: number,
  path: string,
  { method, headers = {}, body }: Sent = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      path,
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      agent: false,
    };
    const sent = request({ host: "127.0.0.1", ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        const json = () => JSON.parse(whole.toString());
        resolve({ status: response.statusCode!, headers: response.headers, body: whole, json });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

export const image = (body: Uint8Array): Sent => ({ body, headers: { "Content-Type": "image/png" } });
export const json = (value: unknown): Sent => ({
  body: JSON.stringify(value),
  headers: { "Content-Type": "application/json" },
});

/** Starts a server and waits until it listens. */
export async function startServer(options: Partial<ServeOptions>, root: string) {
  const stop = new AbortController();
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line) => lines.push(line));
  const all = { host: "127.0.0.1", port: 0, rate: 10_000, ...options };
  const ended = serve(all, root, root, stop.signal);
  await Promise.race([
    ended,
    vi.waitFor(() => lines.length > 1 || Promise.reject(new Error("starting")), 60_000),
  ]);
  log.mockRestore();
  const url = new URL(lines[1].trim());
  return {
    port: Number(url.port),
    lines,
    url,
    async end() {
      stop.abort();
      return ended;
    },
  };
}
