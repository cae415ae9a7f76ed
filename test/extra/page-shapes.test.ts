/** The pages of studies of every shape: their length, size and time to the first paint; texts, contrast and keyboard. */
import { statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runStage } from "../run-stage.ts";
import { makeNeighbours } from "../stages/report/neighbours.ts";
import { cifar10Runs, codesRuns } from "../stages/report/shapes.ts";
import { type Made, type MadeStudy, makeStudy, plannedRuns } from "../stages/report/study.ts";
import { firstPaint, launch, layoutFaults, openPage, shot, unfold, violations, walk } from "./browser.ts";

const QUERIES = 120;
/** The published page of the sample: it is measured where it was made. */
const SAMPLE = resolve("reports/sample/index.html");

let browser: Browser;
const studies: MadeStudy[] = [];
const pages: Record<string, string> = {};

async function makePage(name: string, runs: Made[]): Promise<string> {
  const study = makeStudy(QUERIES, runs);
  studies.push(study);
  const neighbours = join(study.folder, "neighbours.json");
  writeFileSync(neighbours, JSON.stringify(makeNeighbours(QUERIES)));
  const { metrics, queries, histories, timings, choices, maps } = study;
  const { outputs } = await runStage("report", {
    params: { title: `A made-up study: ${name}`, profile: name, resamples: 100, folder: `reports/${name}` },
    inputs: { metrics, queries, histories, timings, choices, maps, neighbours },
  });
  return outputs.page;
}

beforeAll(async () => {
  browser = await launch();
  pages.sample = await makePage("sample", plannedRuns());
  pages.cifar10 = await makePage("cifar10", cifar10Runs());
  pages.codes = await makePage("codes", codesRuns());
});
afterAll(async () => {
  await browser?.close();
  for (const study of studies) study.remove();
});

/** Pixels that a page may be high at 1440, with everything folded. */
const HIGHEST: Record<string, number> = { sample: 8000, cifar10: 9000, codes: 12_000 };

describe.each(["sample", "cifar10", "codes"])("the page of a study like %s", (name) => {
  test("is short", async () => {
    const { page, said, close } = await openPage(browser, pages[name]);
    const height = await walk(page);
    console.log(`${name}: ${height} px at 1440`);
    expect(height).toBeLessThan(HIGHEST[name]);
    await shot(page, `${name}-1440`);
    expect(said).toEqual([]);
    await close();
  });

  test.each([
    1440, 390,
  ])("at %i px no text is small, outside, or over another, folded or not", async (width) => {
    const { page, close } = await openPage(browser, pages[name], { width });
    await walk(page);
    await shot(page, `${name}-${width}`);
    expect(await layoutFaults(page)).toEqual([]);
    await unfold(page);
    await walk(page);
    expect(await layoutFaults(page)).toEqual([]);
    await close();
  });

  test.each([false, true])("has contrast, names and a keyboard's way through (dark: %s)", async (dark) => {
    const { page, close } = await openPage(browser, pages[name], { dark });
    await walk(page);
    await unfold(page);
    await walk(page);
    if (dark) await shot(page, `${name}-dark`);
    expect(await violations(page)).toEqual([]);
    await close();
  });

  test("shows the answers on the first screen, and few links", async () => {
    const { page, close } = await openPage(browser, pages[name]);
    const answers = page.locator(".answer");
    expect(await answers.count()).toBeGreaterThanOrEqual(2);
    const places = await answers.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
    for (const top of places) expect(top).toBeLessThan(900);
    expect(await page.locator("nav a").count()).toBeLessThanOrEqual(7);
    await page.evaluate("scrollTo(0, 3000)");
    const nav: number = await page.locator("nav").evaluate((one) => one.getBoundingClientRect().top);
    expect(nav).toBe(0);
    await close();
  });
});

test("the sample's published page has less than 1.5 MB, and paints within a second", async () => {
  const size = statSync(SAMPLE).size / 1e6;
  const { page, close } = await openPage(browser, SAMPLE);
  const paint = await firstPaint(page);
  const height = await walk(page);
  console.log(
    `reports/sample: ${size.toFixed(2)} MB, first paint after ${Math.round(paint)} ms, ${height} px at 1440`,
  );
  expect(size).toBeLessThan(1.5);
  expect(paint).toBeLessThan(1000);
  expect(height).toBeLessThan(9000);
  await close();
});
