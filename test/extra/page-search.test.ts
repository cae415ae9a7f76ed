/** The page that searches by itself, in a real browser: the command's answers, from any server, and nothing else asked for. */
import { createReadStream, existsSync, mkdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { makeWorld, type World } from "../search/world.ts";
import { launch, PATIENCE, shot } from "./browser.ts";

const COUNT = 60;
const BITS = 8;
const QUERIES = 20;
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".json": "application/json",
};

let world: World;
let server: Server;
let address: string;
let browser: Browser;
const out: string[] = [];

/** A server that knows nothing but files, below a path that is not its root. */
function serveFiles(folder: string): Server {
  return createServer(({ url }, response) => {
    const path = decodeURIComponent(new URL(url!, "http://x").pathname).replace(/^\/some\/where\//, "");
    const file = join(folder, path || "index.html");
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  }).listen(0, "127.0.0.1");
}

/** Queries of many sizes: enlarged and shrunk, PNG and JPEG, with their very pixels and with others. */
async function makeQueries(): Promise<string[]> {
  const draw = random(1, "queries");
  mkdirSync(world.at("queries"));
  return Promise.all(
    Array.from({ length: QUERIES }, async (_, i) => {
      const [width, height] = [24 + draw.int(200), 24 + draw.int(200)];
      const photo = sharp(world.photos[(7 * i) % world.photos.length]);
      const file = world.at("queries", `${i}.${["png", "jpg", "webp"][i % 3]}`);
      const image = i % 5 === 0 ? photo : photo.resize(width, height, { fit: "fill" });
      const quality = i % 3 === 2 ? { lossless: true } : {};
      await image
        .toFormat(({ 0: "png", 1: "jpeg", 2: "webp" } as const)[(i % 3) as 0 | 1 | 2], quality)
        .toFile(file);
      return file;
    }),
  );
}

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  world = await makeWorld(COUNT, BITS);
  const { folder } = world;
  await main(["index", "photos", "--like", world.index, "--out", "own"], folder, folder);
  expect(await main(["page", "--index", "own", "--out", "site"], folder, folder)).toBe(0);
  server = serveFiles(world.at("site"));
  await new Promise((resolve) => server.once("listening", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launch();
}, PATIENCE);
afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** Opens the page; `said` takes what the console says, and requests that leave its server. */
async function open(width = 1440): Promise<{ page: Page; said: string[]; close: () => Promise<void> }> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(blob:|data:)/.test(request.url()) && !request.url().startsWith(address))
      said.push(`request: ${request.url()}`);
  });
  await page.goto(`${address}/some/where/`);
  await page.locator("#found li").first().waitFor();
  return { page, said, close: () => context.close() };
}

/** Searches by a file. @returns the names of the first ten */
async function answers(page: Page, file: string): Promise<string[]> {
  await page.locator("#status").evaluate((element) => element.replaceChildren());
  await page.locator("#file").setInputFiles(file);
  await page.locator("#status", { hasText: /searched in|cannot|fail/i }).waitFor();
  expect(await page.locator("#status").textContent()).toContain("searched in");
  return (await page.locator("#found .name").allTextContents()).slice(0, 10);
}

test(
  "it finds what the command finds, in the same order, and asks only its own server",
  async () => {
    const queries = await makeQueries();
    out.splice(0);
    const { folder } = world;
    await main(["search", ...queries, "--index", "own", "--top", "10", "--json"], folder, folder);
    const wanted = (JSON.parse(out[0]) as { query: string; nearest: { image: string }[] }[]).map(
      ({ nearest }) => nearest.map(({ image }) => relative(world.at("photos"), image)),
    );
    const { page, said, close } = await open();
    for (const [i, query] of queries.entries()) expect(await answers(page, query), query).toEqual(wanted[i]);
    expect(said).toEqual([]);
    await shot(page, "search-page");
    await close();
  },
  10 * PATIENCE,
);

test("an image of the index finds others like it, of a class, within a radius; on a phone, too", async () => {
  const { page, said, close } = await open(390);
  await page.locator("#found .tile").first().click();
  await page.locator("#status", { hasText: "searched in" }).waitFor();
  expect(await page.locator("#found .near").first().textContent()).toContain("the same image");
  await page.locator("#filter").fill("dog");
  await expect
    .poll(async () => new Set(await page.locator("#found b").allTextContents()), { timeout: PATIENCE })
    .toEqual(new Set(["dog"]));
  await shot(page, "search-page-phone");
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  expect(said).toEqual([]);
  await close();
});

test("a file that is no image, and the page opened as a file, are told in words", async () => {
  const { page, close } = await open();
  await page
    .locator("#file")
    .setInputFiles({ name: "x.png", mimeType: "image/png", buffer: Buffer.from("no image") });
  await page.locator("#status", { hasText: "This browser cannot read the image" }).waitFor();
  await close();
  const context = await browser.newContext();
  const file = await context.newPage();
  await file.goto(pathToFileURL(world.at("site", "index.html")).href);
  await file.locator("#status", { hasText: /opened as a file.*http\.server 8000/ }).waitFor();
  await context.close();
});
