/** The report's page in a real browser: Debian's chromium, driven by playwright-core. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runStage } from "../run-stage.ts";
import { makeNeighbours } from "../stages/report/neighbours.ts";
import { makeStudy } from "../stages/report/study.ts";

/** Where the browser is; another one by the environment. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Where screenshots go, to be looked at; git ignores it. */
const SHOTS = resolve("cache/screenshots");
const QUERIES = 120;
/** Milliseconds to wait for the browser: a busy machine is slow, not wrong. */
const PATIENCE = 300_000;

const study = makeStudy(QUERIES);
let browser: Browser;
let pages: Record<"plain" | "images" | "timings", string>;

beforeAll(async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`${CHROMIUM}: no such browser. apt-get install chromium, or set CHROMIUM to one.`);
  const neighbours = join(study.folder, "neighbours.json");
  const made = makeNeighbours(QUERIES);
  writeFileSync(neighbours, JSON.stringify(made));
  const thumbnails = join(study.folder, "thumbnails");
  mkdirSync(thumbnails);
  const count = made.images.id.length;
  const columns = Math.ceil(Math.sqrt(count));
  const side = 32;
  const sheet = await sharp({
    create: { width: columns * side, height: columns * side, channels: 3, background: "#cc6677" },
  })
    .webp()
    .toBuffer();
  writeFileSync(join(thumbnails, "sheet.webp"), sheet);
  writeFileSync(join(thumbnails, "sheet.json"), JSON.stringify({ side, columns, count }));
  const { metrics, queries, histories, timings, choices, maps } = study;
  const { outputs } = await runStage("report", {
    params: { title: "A made-up study", profile: "sample", resamples: 200 },
    inputs: { metrics, queries, histories, timings, choices, maps, neighbours, thumbnails },
  });
  pages = {
    plain: outputs.page,
    images: join(outputs.page_with_images, "index.html"),
    timings: outputs.timings_page,
  };
  mkdirSync(SHOTS, { recursive: true });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
});
afterAll(async () => {
  await browser?.close();
  study.remove();
});

/** Opens a page from its file, without a network, and holds it to saying nothing. */
async function open(
  name: keyof typeof pages,
  options: { dark?: boolean; width?: number } = {},
): Promise<{ page: Page; said: string[]; close: () => Promise<void> }> {
  const context = await browser.newContext({
    offline: true,
    colorScheme: options.dark ? "dark" : "light",
    viewport: { width: options.width ?? 1300, height: 900 },
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith("data:") && address !== pathToFileURL(pages[name]).href)
      said.push(`request: ${address}`);
  });
  await page.goto(pathToFileURL(pages[name]).href);
  return { page, said, close: () => context.close() };
}

const shot = (page: Page, name: string) =>
  page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });

describe("the page", () => {
  test("says nothing on the console and asks for nothing, light and dark, wide and narrow, and on paper", async () => {
    for (const [name, options] of Object.entries({
      light: {},
      dark: { dark: true },
      narrow: { width: 390 },
    })) {
      const { page, said, close } = await open("plain", options);
      expect(await page.locator("[data-part=curves] .chart svg").count()).toBe(4); // two losses, active, mAP
      await shot(page, name);
      const wide: number = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(wide, name).toBeLessThanOrEqual(0);
      await page.emulateMedia({ media: "print" });
      if (name === "dark") {
        // On paper, ink is dark whatever the screen is.
        const words = page.locator("[data-part=curves] .chart svg text").first();
        await expect.poll(() => words.getAttribute("fill"), { timeout: PATIENCE }).toBe("#1b1f24");
        await shot(page, "paper");
      }
      expect(said).toEqual([]);
      await close();
    }
  });

  test("has names for all that can be focused, and headings in order", async () => {
    const { page, close } = await open("plain");
    for (const box of await page.locator("select, input, button, [tabindex], a").all()) {
      const name = await box.evaluate(
        (element) =>
          element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent || "",
      );
      expect(name.trim(), await box.evaluate((element) => element.outerHTML)).toBeTruthy();
    }
    const levels: number[] = await page
      .locator("h1, h2, h3")
      .evaluateAll((all) => all.map((heading: { tagName: string }) => Number(heading.tagName[1])));
    expect(levels[0]).toBe(1);
    for (const [at, level] of levels.entries()) if (at) expect(level - levels[at - 1]).toBeLessThanOrEqual(1);
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    await close();
  });

  test("leads from a number to how it was made", async () => {
    const { page, close } = await open("plain");
    await page.locator(".card a").first().click();
    const target = page.locator("tr:target");
    expect(await target.count()).toBe(1);
    expect(await target.textContent()).toContain("npm run pipeline -- --profile sample --only 'evaluate[");
    await close();
  });

  test("sorts a table by the column that is pressed", async () => {
    const { page, close } = await open("plain");
    const table = page.locator("table", { hasText: "Highest mAP first" });
    const names = () => table.locator("tbody th").allTextContents();
    const before = await names();
    await table.locator("thead button", { hasText: /^mAP$/ }).press("Enter");
    expect(await names()).toEqual(before);
    await table.locator("thead button", { hasText: /^mAP$/ }).press("Enter");
    expect(await names()).toEqual(before.toReversed());
    await close();
  });
});

describe("the maps", () => {
  test("mark a pressed point and its neighbours in every map, and let go again", async () => {
    const { page, said, close } = await open("plain");
    const points = page.locator("[data-part=maps] .map").first().locator(".mark-symbol path");
    expect(await points.count()).toBe(QUERIES);
    await points.nth(5).click();
    const answers = page.locator("[data-part=maps] .answer");
    expect(await answers.count()).toBe(2);
    for (const answer of await answers.all()) {
      expect(await answer.locator("li").count()).toBe(10);
      expect(await answer.locator("p").textContent()).toContain("dog, image 50005");
      const right = await answer.locator("li.right").count();
      expect(await answer.locator("p").textContent()).toContain(
        `10 nearest points ${right} are of its class`,
      );
    }
    await shot(page, "picked");
    await page.locator("[data-part=maps] .map").first().press("Escape");
    expect(await answers.first().locator("li").count()).toBe(0);
    expect(said).toEqual([]);
    await close();
  });

  test("are walked with the arrow keys", async () => {
    const { page, close } = await open("plain");
    const map = page.locator("[data-part=maps] .map").first();
    const words = () => page.locator("[data-part=maps] .answer p").first().textContent();
    await map.press("ArrowRight");
    const first = await words();
    expect(first).toMatch(/image 50\d\d\d/);
    await map.press("ArrowRight");
    await map.press("ArrowUp");
    expect(await words()).not.toBe(first);
    await close();
  });

  test("show the image of the point under the pointer, and hide classes", async () => {
    const { page, said, close } = await open("images");
    const map = page.locator("[data-part=maps] .map").first();
    await map.locator(".mark-symbol path").nth(3).hover();
    const tip = page.locator(".tip");
    expect(await tip.textContent()).toContain("cat, image 50003");
    const picture: string = await tip
      .locator(".picture.seen")
      .evaluate((node) => node.ownerDocument.defaultView.getComputedStyle(node).backgroundImage);
    expect(picture).toContain("data:image/webp");
    await page.locator("[data-part=maps] .tick", { hasText: "cat" }).click();
    expect(await map.locator(".mark-symbol path").count()).toBe(QUERIES - 12);
    expect(said).toEqual([]);
    await close();
  });
});

describe("the query browser", () => {
  test("shows what each representation finds, the worst first on demand", async () => {
    const { page, said, close } = await open("images");
    const place = page.locator("[data-part=queries]");
    const list = place.locator("#query");
    expect(await list.locator("option").count()).toBe(QUERIES - 20);
    expect(await place.locator(".answers section").count()).toBe(3);
    expect(await place.locator(".answers li").count()).toBe(30);
    for (const item of await place.locator(".answers li").all())
      expect(await item.locator(".mark").textContent()).toMatch(
        (await item.getAttribute("class")) === "right" ? /^✓ right$/ : /^✗ wrong$/,
      );
    const asked = () => place.locator(".asked").textContent();
    const first = await asked();
    await list.press("ArrowDown");
    expect(await asked()).not.toBe(first);
    await place.getByLabel("Order").selectOption({ label: "worst first in raw features" });
    expect(await list.locator("option").count()).toBe(QUERIES);
    const { map: precision } = makeNeighbours(QUERIES).representations[0];
    const shown = await place.locator(".answers section").first().locator(".facts").textContent();
    expect(shown).toContain(`average precision ${Math.min(...precision).toFixed(4)}`);
    await place.getByLabel("Class").selectOption("cat");
    for (const words of await list.locator("option").allTextContents()) expect(words).toMatch(/^cat, /);
    await place.getByLabel("only with a wrong one").check();
    expect(await place.locator(".answers li.wrong").count()).toBeGreaterThan(0);
    expect(await place.locator(".answers").textContent()).toContain("14 images lie as near");
    await shot(page, "queries");
    expect(said).toEqual([]);
    await close();
  });
});

describe("the curves", () => {
  test("are filtered, and drawn against another cost", async () => {
    const { page, said, close } = await open("plain");
    const place = page.locator("[data-part=curves]");
    const status = () => place.locator("[role=status]").textContent();
    expect(await status()).toMatch(/^24 of 24 trainings/);
    await place.getByRole("checkbox", { name: "hoffer-ailon" }).uncheck();
    await place.getByRole("checkbox", { name: "2", exact: true }).uncheck();
    expect(await status()).toMatch(/^8 of 24 trainings/);
    expect(await place.locator(".chart svg").count()).toBe(3);
    await place.getByRole("combobox", { name: "Against" }).selectOption("triplets");
    expect(await place.locator(".chart").last().getAttribute("aria-label")).toContain(
      "triplets or pairs used",
    );
    await place.locator(".chart").last().locator(".mark-symbol path").last().hover();
    expect(await page.locator(".tip").textContent()).toMatch(/validation mAP 0\.\d+ at/);
    await shot(page, "curves");
    expect(said).toEqual([]);
    await close();
  });

  test("of the page of timings are drawn against seconds", async () => {
    const { page, said, close } = await open("timings");
    const chart = page.locator("[data-part=race] .chart");
    expect(await chart.count()).toBe(1);
    expect(await chart.getAttribute("aria-label")).toContain("seconds of training");
    await shot(page, "timings");
    expect(said).toEqual([]);
    await close();
  });
});

describe("the confusions", () => {
  test("are shown of the representation that is chosen", async () => {
    const { page, said, close } = await open("plain");
    const place = page.locator("[data-part=confusion]");
    expect(await place.locator("tbody tr").count()).toBe(10);
    await place.getByLabel("Representation").selectOption({ label: "raw features" });
    expect(await place.locator("caption").textContent()).toContain("raw features");
    expect(await place.locator("li").count()).toBe(5);
    expect(said).toEqual([]);
    await close();
  });
});

test("without scripts, figures and tables are still there", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pathToFileURL(pages.plain).href);
  expect(await page.locator("table").count()).toBeGreaterThan(5);
  expect(readFileSync(pages.plain, "utf8").length).toBeLessThan(5_000_000);
  await context.close();
});
