/** The page of `deephash serve` in a real browser: everything that can be pressed is pressed. */
import { readFileSync } from "node:fs";
import { type Browser, type BrowserContextOptions, devices, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { build } from "../../search/index/build.ts";
import { startServer } from "../search/serve/client.ts";
import { makeWorld, type World } from "../search/world.ts";
import { launch, layoutFaults, PATIENCE, shot, violations } from "./browser.ts";

const COUNT = 40;
const BITS = 8;
let browser: Browser;
let world: World;
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  world = await makeWorld(COUNT, BITS);
  await build(["photos"], { like: world.index, bits: BITS, out: "own" }, world.folder, world.folder);
  server = await startServer({ index: "own" }, world.folder);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
});

/** Opens the page. @returns also what the console said, and requests to any other server */
async function open(options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith("blob:") && new URL(request.url()).origin !== server.url.origin)
      said.push(`request: ${request.url()}`);
  });
  await page.goto(server.url.href);
  await page.waitForSelector(".tile img");
  return { page, said, close: () => context.close() };
}

const names = (page: Page) => page.locator(".name").allTextContents();
const statusOf = (page: Page, words: RegExp) =>
  expect.poll(() => page.locator("#status").textContent(), { timeout: PATIENCE }).toMatch(words);

test("shows images of the index, and finds those like one that is chosen; Back returns", async () => {
  const { page, said, close } = await open();
  await statusOf(page, /^40 images of the index/);
  const before = await names(page);
  await page.locator(".tile").nth(5).click();
  await statusOf(page, /nearest first/);
  expect((await names(page))[0]).toBe(before[5]);
  expect(await page.locator(".near").first().textContent()).toContain("the same image");
  expect(await page.locator("#code-bits svg").getAttribute("aria-label")).toBe("a code of 8 bits");
  await page.goBack();
  await statusOf(page, /of the index/);
  expect(await names(page)).toEqual(before);
  await page.goForward();
  await statusOf(page, /nearest first/);
  expect(said).toEqual([]);
  await close();
});

test("takes an image from a file, by dropping, and by pasting", async () => {
  const { page, said, close } = await open();
  await page.setInputFiles("#file", world.photos[3]);
  await statusOf(page, /nearest first/);
  expect((await names(page))[0]).toBe("dog/15.png");
  for (const [kind, photo, name] of [
    ["DragEvent", world.photos[4], "cat/20.png"],
    ["ClipboardEvent", world.photos[6], "cat/30.png"],
  ] as const) {
    await page.evaluate(
      `(() => {
      const bytes = Uint8Array.from(atob("${readFileSync(photo).toString("base64")}"), (sign) => sign.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "mine.png", { type: "image/png" }));
      const options = { dataTransfer: data, clipboardData: data, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new ${kind}(options.kind, options));
    })()`.replace("options.kind", JSON.stringify(kind === "DragEvent" ? "drop" : "paste")),
    );
    await expect.poll(async () => (await names(page))[0], { timeout: PATIENCE }).toBe(name);
  }
  expect(said).toEqual([]);
  await close();
});

test("says what is wrong with a file that is no image, and goes on", async () => {
  const { page, close } = await open();
  await page.setInputFiles("#file", {
    name: "no.png",
    mimeType: "image/png",
    buffer: Buffer.from("no image"),
  });
  await statusOf(page, /unreadable image/);
  expect(await page.locator("#status").getAttribute("class")).toBe("fault");
  await page.goBack();
  await statusOf(page, /of the index/);
  await close();
});

test("filters by class, radius, order and number", async () => {
  const { page, said, close } = await open();
  await page.locator("#filter").fill("DO");
  await statusOf(page, /^20 images of the index/);
  expect((await names(page)).every((name) => name.startsWith("dog/"))).toBe(true);
  await page.locator(".tile").first().click();
  await statusOf(page, /^20 images, nearest first/);
  await page.locator("#radius").fill("0");
  expect(await page.locator("#radius-value").textContent()).toBe("0");
  await expect.poll(() => page.locator(".tile").count(), { timeout: PATIENCE }).toBeLessThan(20);
  for (const words of await page.locator(".near").allTextContents())
    expect(words).toMatch(/^0 bits|^the same/);
  await page.locator("#radius").fill(String(BITS + 1));
  await page.locator("#filter").fill("horse");
  await statusOf(page, /No image is as near/);
  await page.locator("#filter").fill("");
  await page.locator("#top").selectOption("20");
  await statusOf(page, /^20 images, nearest/);
  await page.locator("#order").selectOption("outputs");
  await statusOf(page, /^20 images, nearest/);
  expect(said).toEqual([]);
  await close();
});

test("is used by the keyboard alone", async () => {
  const { page, said, close } = await open();
  await page.keyboard.press("/");
  expect(await page.evaluate("document.activeElement.id")).toBe("filter");
  await page.locator(".tile").first().focus();
  const label = () => page.evaluate("document.activeElement.querySelector('.name').textContent");
  const labels = await names(page);
  await page.keyboard.press("ArrowRight");
  expect(await label()).toBe(labels[1]);
  await page.keyboard.press("ArrowDown");
  const row = labels.indexOf((await label()) as string);
  expect(row).toBeGreaterThan(3);
  await page.keyboard.press("ArrowUp");
  expect(await label()).toBe(labels[1]);
  await page.keyboard.press("o");
  expect(await page.locator("#viewer").isVisible()).toBe(true);
  await page.keyboard.press("Escape");
  expect(await page.locator("#viewer").isVisible()).toBe(false);
  expect(await label()).toBe(labels[1]);
  await page.keyboard.press("Enter");
  await statusOf(page, /nearest first/);
  await page.locator(".open").nth(2).focus();
  await page.keyboard.press("Enter");
  expect(await page.locator("#viewer-bits svg").getAttribute("aria-label")).toMatch(/of them differ$/);
  const name = await page.locator("#viewer-name").textContent();
  await page.locator("#viewer-like").press("Enter");
  await expect.poll(async () => (await names(page))[0], { timeout: PATIENCE }).toBe(name);
  expect(said).toEqual([]);
  await close();
});

test.each([
  ["wide", {}],
  ["dark", { colorScheme: "dark" }],
  ["phone", { ...devices["iPhone 13"], viewport: { width: 390, height: 844 } }],
] as [
  string,
  BrowserContextOptions,
][])("has contrast, names and a tidy layout: %s", async (name, options) => {
  const { defaultBrowserType: _, ...rest } = options as BrowserContextOptions & {
    defaultBrowserType?: string;
  };
  const { page, said, close } = await open(rest);
  expect(await violationsOf(page)).toEqual([]);
  await page.locator(".tile").nth(7).click();
  await statusOf(page, /nearest first/);
  await page.waitForLoadState("networkidle");
  await shot(page, `serve-${name}`);
  expect(await violationsOf(page)).toEqual([]);
  await page.locator(".open").nth(1).click({ force: true });
  await shot(page, `serve-${name}-viewer`);
  expect(await violations(page)).toEqual([]);
  expect(said).toEqual([]);
  await close();
});

async function violationsOf(page: Page): Promise<string[]> {
  return [...(await layoutFaults(page)), ...(await violations(page))];
}
