/** A real browser for pages: Debian's chromium, driven by playwright-core; axe-core checks contrast and names. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

/** Where the browser is; another one by the environment. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Where screenshots go, to be looked at; git ignores it. */
const SHOTS = resolve("cache/screenshots");
/** Milliseconds to wait for the browser: a busy machine is slow, not wrong. */
export const PATIENCE = 60_000;

/** Text that is drawn smaller than this, in pixels, cannot be read on a phone. */
const SMALLEST = 11;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts the browser. @throws Error with the next step where there is none */
export async function launch(): Promise<Browser> {
  if (!existsSync(CHROMIUM))
    throw new Error(`${CHROMIUM}: no such browser. apt-get install chromium, or set CHROMIUM to one.`);
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
}

export interface Opened {
  page: Page;
  /** The messages of the console, and requests for anything but the page and the files beside it. */
  said: string[];
  close: () => Promise<void>;
}

/** Opens a page from its file, without a network. */
export async function openPage(
  browser: Browser,
  file: string,
  options: { dark?: boolean; width?: number } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    offline: true,
    colorScheme: options.dark ? "dark" : "light",
    viewport: { width: options.width ?? 1440, height: 900 },
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const address = request.url();
    const beside = ["", "timings/seconds.js", "../timings/seconds.js"];
    const own = beside.map((path) => new URL(path || file, pathToFileURL(file)).href);
    if (!address.startsWith("data:") && !own.includes(address)) said.push(`request: ${address}`);
  });
  await page.goto(pathToFileURL(file).href);
  return { page, said, close: () => context.close() };
}

/** Scrolls through the page, so that every part of it is made. @returns the height of the whole page, in pixels */
export async function walk(page: Page): Promise<number> {
  const height = () => page.evaluate("document.documentElement.scrollHeight") as Promise<number>;
  for (let y = 0; y < (await height()); y += 700) {
    await page.evaluate(`scrollTo(0, ${y})`);
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  }
  await page.evaluate("scrollTo(0, 0)");
  return height();
}

/** Opens folded blocks. */
export const unfold = (page: Page): Promise<unknown> =>
  page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");

export const shot = (page: Page, name: string) =>
  page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });

/** The findings of axe-core: contrast, names, order of headings, what the keyboard cannot reach. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations: found } = (await page.evaluate("axe.run(document)")) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
  );
}

/** Runs in the page: texts that lie over each other, that are too small, or that leave the page to the side. */
const LAYOUT = `(() => {
  const found = [];
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const parent = node.parentElement;
    if (!text || parent.closest("script, style, noscript, select, .tip")) continue;
    if (!parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < ${SMALLEST} - 0.01) found.push("small: " + size + " px: " + text.slice(0, 60));
    const box = parent.closest(".table, .drawing, nav ul")?.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      const line = {
        text: text.slice(0, 60), owner: parent,
        left: Math.max(left, box?.left ?? left), right: Math.min(right, box?.right ?? right), top, bottom,
      };
      if (line.right - line.left < 1) continue;
      if (line.right > innerWidth + 1 || line.left < -1) found.push("outside: " + line.text);
      lines.push(line);
    }
  }
  lines.sort((a, b) => a.top - b.top);
  for (const [at, a] of lines.entries())
    for (let next = at + 1; next < lines.length && lines[next].top < a.bottom; next++) {
      const b = lines[next];
      if (a.owner === b.owner || a.text === b.text) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 4) found.push("over each other: " + a.text + " | " + b.text);
    }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) found.push("the page is " + wide + " px too wide");
  return found.slice(0, 12);
})()`;

/** The defects of the page's layout as it is shown, from its top: scrolled text passes below the contents, which stay. */
export async function layoutFaults(page: Page): Promise<string[]> {
  await page.evaluate("scrollTo(0, 0)");
  return page.evaluate(LAYOUT) as Promise<string[]>;
}

/** Milliseconds from the start of the navigation to the first paint of content. */
export const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(`new Promise((done) => {
    const seen = performance.getEntriesByName("first-contentful-paint")[0];
    if (seen) done(seen.startTime);
    else new PerformanceObserver((list, own) => {
      const entry = list.getEntriesByName("first-contentful-paint")[0];
      if (entry) { own.disconnect(); done(entry.startTime); }
    }).observe({ type: "paint", buffered: true });
  })`) as Promise<number>;
