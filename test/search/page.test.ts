/** The page of a search: it is written after the answers, shows the images it can, and reports the others. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import sharp from "sharp";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { build } from "../../search/index/build.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let at: World["at"];
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(12, 6);
  ({ at } = world);
});
beforeEach(async () => {
  rmSync(at("mine"), { recursive: true, force: true });
  rmSync(at("own"), { recursive: true, force: true });
  cpSync(at("photos"), at("mine"), { recursive: true });
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});
const index = () => build(["mine"], { like: world.index, bits: 6, out: "own" }, world.folder, world.folder);
const run = (...more: string[]) =>
  main(["search", "photos/cat/0.png", "--index", "own", "--top", "12", ...more], world.folder, world.folder);
const page = async () => {
  out.splice(0);
  expect(await run("--html", "page.html")).toBe(0);
  return readFileSync(at("page.html"), "utf8");
};
const frames = (html: string, words: string) => html.split(`<div class="none">${words}</div>`).length - 1;

test("a photo that is gone gets an empty frame with its name, and the others their pictures", async () => {
  await index();
  rmSync(at("mine/dog/5.png"));
  renameSync(at("mine/cat/10.png"), at("mine/cat/elsewhere.png"));
  writeFileSync(at("mine/cat/20.png"), "no picture any more");
  const html = await page();
  expect(html.match(/data:image\/webp/g)).toHaveLength(12 - 3 + 1);
  expect(frames(html, "moved or deleted since")).toBe(2);
  expect(frames(html, "unreadable")).toBe(1);
  for (const name of ["dog/5.png", "cat/10.png", "cat/0.png"]) expect(html).toContain(`<b>${name}</b>`);
  expect(out.join("\n")).toContain(at("mine/dog/5.png")); // the answer is not lost
});

test("a link out of the folder, and a file that is no image, are not shown", async () => {
  await index();
  mkdirSync(at("private"), { recursive: true });
  cpSync(at("photos/dog/15.png"), at("private/secret.png"));
  rmSync(at("mine/dog/15.png"));
  symlinkSync(at("private/secret.png"), at("mine/dog/15.png"));
  writeFileSync(at("mine/notes.txt"), "private");
  rmSync(at("mine/dog/25.png"));
  symlinkSync(at("mine/notes.txt"), at("mine/dog/25.png"));
  const html = await page();
  expect(
    frames(html, "not below the images&#39; folder") + frames(html, "not below the images' folder"),
  ).toBe(1);
  expect(frames(html, "no image")).toBe(1);
});

test("names are text: in the page, and on the terminal", async () => {
  const name = 'a<img src=x onerror="alert(1)">&\n\u001b[31m.png';
  renameSync(at("mine/cat/0.png"), at("mine/cat", name));
  await index();
  const html = await page();
  expect(html).not.toContain("<img src=x");
  expect(html).toContain("a&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;");
  const text = out.join("\n");
  expect(text).toContain("\\u000a\\u001b[31m.png");
  expect(text).not.toContain("\u001b");
});

test("a page that cannot be written is refused in one line, before the search", async () => {
  await index();
  out.splice(0);
  expect(await run("--html", "nowhere/page.html")).toBe(2);
  expect(out).toEqual([]);
  expect(err).toEqual([expect.stringMatching(/nowhere\/page\.html: no folder .*nowhere can be found/)]);
});

test("a page of a table's images shows them by their rows", async () => {
  const args = ["search", "photos/cat/0.png", "--index", world.index, "--top", "12", "--html", "table.html"];
  expect(await main(args, world.folder, world.folder)).toBe(0);
  const html = readFileSync(at("table.html"), "utf8");
  expect(html.match(/data:image\/webp/g)).toHaveLength(13);
  const first = /<ol><li><figure><img src="data:image\/webp;base64,([^"]+)"/.exec(html)![1];
  const { data } = await sharp(Buffer.from(first, "base64"))
    .resize(1, 1)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const own = await sharp(at("photos/cat/0.png")).resize(1, 1).raw().toBuffer();
  for (const [channel, value] of own.subarray(0, 3).entries())
    expect(Math.abs(value - data[channel])).toBeLessThan(8);
});
