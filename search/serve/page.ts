/** The page: its files, from the folder of the package, and its script, bundled for the browser. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { browserScript } from "../../runner/code/index.ts";
import type { Shared } from "./routes.ts";

/** From the folder of the package, where search/main.mjs runs. */
const CLIENT = "search/serve/client";

export async function readPage(): Promise<Shared["page"]> {
  const { text } = await browserScript(resolve(CLIENT, "main.ts"), resolve("."));
  const file = (name: string) => readFileSync(join(CLIENT, name), "utf8");
  return new Map([
    ["/", { type: "text/html; charset=utf-8", body: file("page.html") }],
    ["/icon.svg", { type: "image/svg+xml", body: file("icon.svg") }],
    ["/page.css", { type: "text/css; charset=utf-8", body: file("page.css") }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: text }],
  ]);
}
