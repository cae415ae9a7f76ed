// The README's screenshots, of the committed report and of a command: `npm run docs:pictures`. Needs Debian's chromium
// (CHROMIUM=/path for another).
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";

const REPORT = "reports/sample/index.html";
const COMMAND = ["--help"];
const FOLDER = "docs/pictures";

/** A picture of the README is this wide, and has few colors: it stays below 200 kB. */
const WIDTH = 1200;

/** The codes of colors that the commands print, as CSS. */
const STYLES = {
  1: "font-weight:bold",
  2: "color:#8b949e",
  31: "color:#ff7b72",
  32: "color:#7ee787",
  33: "color:#e3b341",
  34: "color:#79c0ff",
  35: "color:#d2a8ff",
  36: "color:#a5d6ff",
  90: "color:#8b949e",
};

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The output of a terminal, as a page. */
function terminalPage(command, said) {
  const [first, ...coloured] = said.split("\u001b[");
  let html = escaped(first);
  let style = [];
  for (const part of coloured) {
    const [, code, text] = /^([\d;]*)m(.*)$/s.exec(part) ?? ["", "", part];
    const isReset = ["0", "22", "39", ""].includes(code);
    style = isReset ? [] : [...style, STYLES[code] ?? ""];
    html += `<span style="${style.join(";")}">${escaped(text)}</span>`;
  }
  return `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#0d1117;color:#e6edf3;width:max-content;
    padding:20px 28px;font:15px/1.5 "DejaVu Sans Mono",monospace;white-space:pre}</style>$ ${escaped(command)}\n${html}`;
}

async function save(shot, name) {
  const file = join(FOLDER, name);
  const { size } = await sharp(shot)
    .resize({ width: WIDTH, withoutEnlargement: true })
    .png({ palette: true, effort: 10 })
    .toFile(file);
  console.log(`${file}: ${Math.round(size / 1000)} kB`);
}

mkdirSync(FOLDER, { recursive: true });
const { status, stdout, stderr } = spawnSync(process.execPath, ["runner/main.mjs", ...COMMAND], {
  encoding: "utf8",
  env: { ...process.env, FORCE_COLOR: "1", NO_COLOR: undefined, COLUMNS: "110" },
});
if (status !== 0) throw new Error(stderr);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 960 }, colorScheme: "light" });
  await page.goto(pathToFileURL(resolve(REPORT)).href);
  await save(await page.screenshot(), "report.png");
  await page.setContent(terminalPage(`npx deephash ${COMMAND.join(" ")}`, stdout.trimEnd()));
  await save(
    await page.screenshot({ fullPage: true, clip: await page.locator("body").boundingBox() }),
    "terminal.png",
  );
} finally {
  await browser.close();
}
