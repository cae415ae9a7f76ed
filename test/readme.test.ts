/** The lists of the README match the project. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const readme = readFileSync("README.md", "utf8");
const parts = readFileSync("docs/parts.md", "utf8");

describe("docs/parts.md", () => {
  it.each([
    ["losses", "stages/train/losses"],
    ["selectors", "stages/train/selectors"],
    ["samplers", "stages/train/samplers"],
    ["networks", "stages/train/networks"],
    ["metrics", "stages/train/metrics"],
    ["augmentations", "stages/shared/augmentations"],
    ["backbones", "stages/shared/backbones"],
    ["data sets", "stages/download/datasets"],
    ["binarisers", "stages/encode/binarisers"],
    ["protocols", "stages/split/protocols"],
  ])("lists the %s of %s", (name, folder) => {
    const row = parts.split("\n").find((line) => line.startsWith(`| ${name} |`))!;
    const listed = [...row.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
    const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
    expect(listed.sort()).toEqual(files.map((file) => file.slice(0, -3)).sort());
  });
});

describe("README.md", () => {
  it("links to every page of docs/", () => {
    for (const page of readdirSync("docs").filter((file) => file.endsWith(".md")))
      expect(readme).toContain(`](docs/${page})`);
  });

  it("has the headings that its contents link to", () => {
    const headings = [...readme.matchAll(/^## (.*)$/gm)].map(([, text]) =>
      text.toLowerCase().replaceAll(" ", "-"),
    );
    const linked = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(linked.length).toBeGreaterThan(5);
    for (const anchor of linked) expect(headings).toContain(anchor);
  });

  it("links to files that are there", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) if (!link.startsWith("https:")) expect(existsSync(link), link).toBe(true);
  });

  it("names benchmarks and npm scripts that are there", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    for (const [, script] of readme.matchAll(/npm run ([\w-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
    for (const [, bench] of readme.matchAll(/bench\/run\.mjs ([\w-]+)/g))
      expect(existsSync(`bench/${bench}.ts`), bench).toBe(true);
  });
});
