/** The report's page in a real browser: everything that can be pressed is pressed. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runStage } from "../run-stage.ts";
import { makeNeighbours } from "../stages/report/neighbours.ts";
import { makeStudy } from "../stages/report/study.ts";
import { launch, layoutFaults, openPage, PATIENCE, shot, walk } from "./browser.ts";

const QUERIES = 120;
const study = makeStudy(QUERIES);
let browser: Browser;
let pages: Record<"plain" | "images" | "timings" | "bare", string>;

beforeAll(async () => {
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
  const bare = join(study.folder, "bare"); // the page alone, as one that someone sent
  mkdirSync(bare);
  copyFileSync(outputs.page, join(bare, "index.html"));
  pages = {
    plain: outputs.page,
    images: join(outputs.page_with_images, "index.html"),
    bare: join(bare, "index.html"),
    timings: outputs.timings_page,
  };
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  study.remove();
});

/** Opens one of the pages, and has every part of it made. */
async function open(name: keyof typeof pages, options: { dark?: boolean; width?: number } = {}) {
  const opened = await openPage(browser, pages[name], options);
  await walk(opened.page);
  return opened;
}

describe("the page", () => {
  test("says nothing on the console and asks for nothing, light and dark, wide and narrow, and on paper", async () => {
    for (const [name, options] of Object.entries({
      light: {},
      dark: { dark: true },
      narrow: { width: 390 },
    })) {
      const { page, said, close } = await open("plain", options);
      expect(await page.locator("[data-part=curves] .chart svg").count()).toBe(3); // mAP, loss, active share
      await shot(page, name);
      const wide: number = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(wide, name).toBeLessThanOrEqual(0);
      await page.emulateMedia({ media: "print" });
      if (name === "dark") {
        // On paper, ink is dark for every screen.
        const words = page.locator("[data-part=curves] .chart svg text").first();
        await expect.poll(() => words.getAttribute("fill"), { timeout: PATIENCE }).toBe("#1b1f24");
        await shot(page, "paper");
      }
      expect(said).toEqual([]);
      await close();
    }
  });

  test("leads from a number to how it was made, which is folded", async () => {
    const { page, close } = await open("plain");
    await page.locator("tbody th a").first().click();
    const target = page.locator("tr:target");
    expect(await target.count()).toBe(1);
    expect(await target.isVisible()).toBe(true);
    expect(await target.textContent()).toContain("npm run pipeline -- --profile sample --only 'evaluate[");
    await close();
  });

  test("shows the seconds that lie beside it, and says where they are without them", async () => {
    const { page, close } = await open("plain");
    const words = page.locator("[data-seconds]");
    expect(await words.textContent()).toMatch(/^In seconds: 9\.5 s with FaceNet, hardest negatives/);
    expect(await page.locator("[data-part=seconds] .chart svg").count()).toBe(1);
    await close();
    const bare = await openPage(browser, pages.bare);
    await walk(bare.page);
    expect(await bare.page.locator("[data-seconds]").textContent()).toBe(
      "In seconds: see the measured time.",
    );
    expect(await bare.page.locator("[data-part=seconds] .chart").count()).toBe(0);
    await bare.close();
  });

  test("says that a table goes on to the side, until its end was seen", async () => {
    const { page, close } = await open("plain", { width: 390 });
    await page.locator("summary", { hasText: "Every metric" }).click();
    const box = page.locator(".table.more").first();
    const cue = page.locator(".table.more + .scrolls").first();
    expect(await cue.isVisible()).toBe(true);
    const count = await page.locator(".table.more").count();
    await box.evaluate((element) => element.scrollTo(100_000, 0));
    await expect.poll(() => page.locator(".table.more").count(), { timeout: PATIENCE }).toBe(count - 1);
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
    expect(await map.locator(".mark-text text").allTextContents()).not.toContain("cat");
    expect(await map.locator(".mark-text text").allTextContents()).toContain("dog");
    const sizes = await page
      .locator("[data-part=maps] .map")
      .evaluateAll((all) => all.map((one) => one.clientHeight));
    expect(new Set(sizes).size).toBe(1);
    expect(said).toEqual([]);
    await close();
  });
});

describe("the query browser", () => {
  test("opens on a median query, and shows the best, the worst and random ones on demand", async () => {
    const { page, said, close } = await open("images");
    const place = page.locator("[data-part=queries]");
    const list = place.locator("#query");
    expect(await list.locator("option").count()).toBe(QUERIES);
    expect(await place.locator(".answers section").count()).toBe(3);
    expect(await place.locator(".answers li").count()).toBe(30);
    expect(await place.locator(".answers .picture.seen").count()).toBeGreaterThan(29);
    for (const item of await place.locator(".answers li").all())
      expect(await item.locator(".mark").textContent()).toMatch(
        (await item.getAttribute("class")) === "right" ? /^✓ right$/ : /^✗ wrong$/,
      );
    const { map: precision } = makeNeighbours(QUERIES).representations[1];
    const drawn = precision.slice(0, QUERIES - 20).toSorted((a, b) => a - b);
    const shown = async () => {
      const words = await place.locator(".answers section").nth(1).locator(".facts").textContent();
      return /average precision ([\d.]+)/.exec(words!)![1].replace(/\.$/, "");
    };
    expect(await shown()).toBe(drawn[drawn.length >> 1].toFixed(4));
    await place.getByRole("button", { name: "Best" }).click();
    expect(await shown()).toBe(Math.max(...precision).toFixed(4));
    await place.getByRole("button", { name: "Worst" }).click();
    expect(await shown()).toBe(Math.min(...precision).toFixed(4));
    const asked = () => place.locator(".asked").textContent();
    await place.getByRole("button", { name: "Random" }).press("Enter");
    const first = await asked();
    await place.getByRole("button", { name: "Random" }).press("Enter");
    expect(await asked()).not.toBe(first);
    await list.press("ArrowDown");
    await place.getByLabel("Class").selectOption("cat");
    for (const words of await list.locator("option").allTextContents()) expect(words).toMatch(/^cat, /);
    await place.getByLabel("only with a wrong one").check();
    expect(await place.locator(".answers li.wrong").count()).toBeGreaterThan(0);
    expect(await place.locator(".answers").textContent()).toContain("14 images are as near");
    await shot(page, "queries");
    expect(said).toEqual([]);
    await close();
  });
});

describe("the curves", () => {
  test.each([
    1440, 390,
  ])("at %i px are chosen by comparison, drawn against another cost, and singled out", async (width) => {
    const { page, said, close } = await open("plain", { width });
    const place = page.locator("[data-part=curves]");
    const status = () => place.locator("[role=status]").textContent();
    expect(await status()).toMatch(/^12 of 24 trainings/);
    const first = place.locator(".chart").first();
    expect(await first.getAttribute("aria-label")).toContain("validation mAP against images seen");
    const heights = await place.locator(".chart").evaluateAll((all) => all.map((one) => one.clientHeight));
    expect(heights[0]).toBeGreaterThan(1.3 * heights[1]);
    expect(await place.locator(".legend li").allTextContents()).toEqual([
      "semi-hard",
      "random negatives",
      "all triplets",
      "hardest negatives × collapsed",
    ]);
    const faded = () => first.locator('path[stroke-opacity="0.12"]').count();
    expect(await faded()).toBe(0);
    await place.locator(".legend button").first().press("Enter");
    expect(await faded()).toBe(3);
    expect(await place.locator('.legend button[aria-pressed="true"]').textContent()).toBe("semi-hard");
    await place.locator(".legend button").first().press("Enter");
    expect(await faded()).toBe(0);
    await place.getByRole("combobox", { name: "Trainings" }).selectOption({ label: "Hoffer & Ailon" });
    await place.getByRole("combobox", { name: "Against" }).selectOption("triplets");
    expect(await first.getAttribute("aria-label")).toContain("triplets or pairs used");
    await first.locator(".mark-symbol path").last().hover({ force: true }); // others may cover it
    expect(await page.locator(".tip").textContent()).toMatch(/validation mAP 0\.\d+ at/);
    expect(await layoutFaults(page)).toEqual([]);
    await shot(page, `curves-${width}`);
    expect(said).toEqual([]);
    await close();
  });

  test("of the page of timings are drawn against seconds, with their intervals", async () => {
    const { page, said, close } = await open("timings");
    const chart = page.locator("[data-part=race] .chart");
    expect(await chart.count()).toBe(1);
    expect(await chart.getAttribute("aria-label")).toContain("seconds of training");
    expect(await chart.locator(".mark-area path").count()).toBe(4); // a band for each selector
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
    await place.getByLabel("Representation").selectOption({ label: "pretrained features" });
    expect(await place.locator("caption").textContent()).toContain("pretrained features");
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
