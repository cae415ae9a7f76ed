/** The HTTP server: what it checks of every request, and how it answers. Of Node alone: there are five routes. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { UserError } from "../../runner/stage.ts";
import { cookieFor, Guard, type GuardOptions } from "./guard.ts";
import { LIMITS } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import { type Reply, reply, type Shared } from "./routes.ts";

/** Sent with every answer: a page runs no script but its own, is in no frame, and tells no other site its address. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** The path and the parameters of a request. @throws Refusal when they are no such */
function addressOf({ url = "/" }: IncomingMessage): { path: string; query: URLSearchParams } {
  if (!url.startsWith("/")) throw new Refusal(400, "The request names no path.");
  const [path, ...rest] = url.split("?"); // not by URL: it would resolve "..", and there is nothing to resolve
  return { path, query: new URLSearchParams(rest.join("?")) };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { type, body, keep }: Reply,
): void {
  response.writeHead(status, {
    ...HEADERS,
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": keep ? `private, max-age=${keep}` : "no-store",
    // A body that was not read to its end would be taken for the next request.
    ...(request.complete ? {} : { Connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function sendFault(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  if (error instanceof Refusal) {
    if (error.retryAfter) response.setHeader("Retry-After", error.retryAfter);
    if (error.status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  } else if (!(error instanceof UserError)) console.error(`! serve: ${(error as Error).stack}`);
  const status = error instanceof Refusal ? error.status : error instanceof UserError ? 400 : 500;
  const message = status === 500 ? "The server failed. Its terminal shows why." : (error as Error).message;
  const isPage = request.headers.accept?.startsWith("text/html");
  send(
    request,
    response,
    status,
    isPage
      ? { type: "text/plain; charset=utf-8", body: `${message}\n` }
      : { type: "application/json; charset=utf-8", body: JSON.stringify({ error: message }) },
  );
}

/** The page with the token in its address: the token becomes a cookie, and leaves the address. */
function takeToken(response: ServerResponse, token: string): void {
  response.writeHead(303, {
    ...HEADERS,
    Location: "/",
    "Set-Cookie": cookieFor(token),
    "Cache-Control": "no-store",
  });
  response.end();
}

/** Makes the server. It does not listen yet. */
export function makeServer(shared: Shared, options: GuardOptions, limits = LIMITS): Server {
  const guard = new Guard(options);
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      guard.checkSender(request);
      const { path, query } = addressOf(request);
      const token = path === "/" ? query.get("token") : null;
      if (token !== null && guard.isToken(token)) {
        takeToken(response, token);
        return;
      }
      guard.checkToken(request);
      send(request, response, 200, await reply({ request, path, query }, shared));
    } catch (error) {
      sendFault(request, response, error);
    }
  };
  const server = createServer(
    {
      headersTimeout: limits.head,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.idle,
      connectionsCheckingInterval: Math.min(1000, limits.head),
      maxHeaderSize: 8 << 10,
    },
    (request, response) => void handle(request, response),
  );
  server.maxConnections = limits.connections;
  return server;
}
