/** The places that an output may be published to, as far as the paths alone tell. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve as absolute, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { refusePlaces } from "../../../runner/plan/places.ts";
import { resolve } from "../../../runner/plan/tasks.ts";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-places-"));
const root = join(folder, "project");
beforeAll(() => {
  for (const path of ["t/data", "real", "store", "node_modules", "stages"])
    mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "t/data/o.txt"), "of an earlier run");
  symlinkSync(folder, join(root, "outside"));
  symlinkSync("nowhere", join(root, "dead"));
  symlinkSync("loop", join(root, "loop"));
  symlinkSync(".", join(root, "here"));
  symlinkSync("real", join(root, "inside"));
  symlinkSync("stages", join(root, "linked"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The error of these stages; "" for none. */
async function said(stages: string, cache = "store"): Promise<string> {
  const file = join(root, "x.yaml");
  writeFileSync(file, `profiles: { a: {} }\nstages:\n${stages}`);
  try {
    const study = expand(load(file, absolute(".")), "a");
    await resolve(study, root, new CodeBook(root), join(root, cache));
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
const stage = (name: string, outputs: string, more: string) =>
  `  ${name}: { run: echo, outputs: { ${outputs} }, ${more} }\n`;
const published = (publish: string, output = "o.txt", cache?: string) =>
  said(stage("n", `o: "${output}"`, `publish: "${publish}"`), cache);

describe("a published folder", () => {
  test.each([
    ["stages", "stages/ is a folder of the project's own"],
    ["stages/n", "stages/ is a folder of the project's own"],
    ["Stages/../STAGES/x", "stages/ is a folder of the project's own"],
    ["runner/x", "runner/ is a folder"],
    ["schemas", "schemas/ is a folder"],
    ["cache", "cache/ is a folder"],
    [".git/hooks", "is in a folder .git"],
    ["sub/.GIT", "is in a folder .git"],
    ["node_modules/x", "is in a folder node_modules"],
    [".github", "is hidden"],
    ["store", "is a place of the cache"],
    ["store/objects", "is a place of the cache"],
    ["outside", "is a link out of the project"],
    ["outside/x/y", "is a link out of the project"],
    ["here", "is a link out of the project"],
    ["dead/x", "dead is a link that points to nothing"],
    ["loop", "loop is a link that points to itself"],
    ["linked/x", "stages/ is a folder of the project's own"],
    ["a\\tb", "must hold no control character"],
    ["n".repeat(300), "must hold no name of more than 255 bytes"],
  ])("is not %s", async (publish, message) => {
    const found = await published(publish);
    expect(found).toContain(message);
    expect(found).toMatch(/^x\.yaml:3:\d+ n\.publish: /);
  });
  test.each([
    "reports",
    "./reports//x/",
    "inside/x",
    "cached",
    "t/stages",
    "stages-of-mine",
    "reports/.x",
  ])("may be %s", async (publish) => {
    expect(await published(publish)).toBe("");
  });
  test("takes neither the cache's own place nor that of its list, for outputs of any name", async () => {
    expect(await published("reports", "x/", "reports/x/cache")).toContain("is a place of the cache");
    expect(await published("reports", "o.txt", "reports/cache")).toBe("");
    expect(await published("reports", "o.txt", ".")).toContain("is a place of the cache");
    expect(await published("reports", "o.txt", "..")).toContain("is a place of the cache");
    expect(await published("reports", ".Published")).toContain('"o" would replace .published');
    expect(await published("reports", ".git/config")).toContain("is in a folder .git");
  });
  test("is a stage's own folder only for this stage", () => {
    const one = {
      id: "s",
      stage: "s",
      publish: "stages/sample",
      inputs: {},
      outputs: { o: { path: "o.arrow" } },
      at: () => "x.yaml:1:1",
    };
    const places = (uses?: string, publish = one.publish) =>
      refusePlaces([{ ...one, uses, publish }], root, join(root, "store"));
    expect(() => places("sample")).not.toThrow();
    expect(() => places("sample", "stages/sample/below")).not.toThrow();
    for (const [uses, publish] of [[undefined], ["other"], ["sample", "stages"], [".", "stages"]])
      expect(() => places(uses, publish), `${uses} ${publish}`).toThrow(
        "stages/ is a folder of the project's own",
      );
  });
});

describe("two outputs", () => {
  test.each([
    ['a: x.txt, b: "./x.txt"', '"a" (x.txt) and "b" (./x.txt)'],
    ['a: x, b: "x/"', '"a" (x) and "b" (x/)'],
    ["a: d/x.txt, b: d", '"b" (d) and "a" (d/x.txt)'],
    ["a: X.txt, b: x.txt", '"a" (X.txt) and "b" (x.txt)'],
    ["a: \u00e9.txt, b: e\u0301.txt", '"a" (\u00e9.txt) and "b" (e\u0301.txt)'],
  ])("of one stage have no place in common: %s", async (outputs, names) => {
    const found = await said(stage("n", outputs, "retries: 0"));
    expect(found).toContain(`: the outputs ${names} take one place.`);
    expect(found).toMatch(/^x\.yaml:3:\d+ n\.outputs\.[ab]: /);
  });
  test.each([
    ["r/q", "x.txt", "r", "q/x.txt", 'm.o and n.o would take one place ("r/q/x.txt").'],
    ["r/q", "x.txt", "R", "q/X.txt", 'm.o and n.o would take one place ("r/q/x.txt" and "R/q/X.txt").'],
    ["r/q", "x.txt", "r", "q", 'n.o and m.o would take one place ("r/q" and "r/q/x.txt").'],
    [
      "real/q",
      "x/",
      "inside",
      "q/x/y/z",
      'm.o and n.o would take one place ("real/q/x" and "real/q/x/y/z").',
    ],
  ])("published to %s (%s) and %s (%s) clash", async (folder, output, other, its, message) => {
    const one = stage("n", `o: ${output}`, `publish: ${folder}`);
    expect(await said(one + stage("m", `o: ${its}`, `publish: ${other}`))).toContain(message);
  });
  test("of two instances clash, unless each has its own folder", async () => {
    const matrix = (publish: string) =>
      stage("n", "o: x.txt", `matrix: { s: [1, 2] }, publish: "${publish}"`);
    expect(await said(matrix("r"))).toContain('n[s=2].o and n[s=1].o would take one place ("r/x.txt").');
    expect(await said(matrix("r/${s}"))).toBe("");
  });
  test("may share a folder", async () => {
    expect(await said(stage("n", "o: x.txt", "publish: r") + stage("m", "o: xx.txt", "publish: r"))).toBe("");
  });
});

describe("an input", () => {
  const reader = (file: string) => stage("m", "b: b.txt", `inputs: { x: "${file}" }`);
  test.each([
    ["./t/data/o.txt", "o.txt", "n.o"],
    ["./t/./data/../data/O.TXT", "o.txt", "n.o"],
    [join(root, "here/t/data/o.txt"), "o.txt", "n.o"],
    ["./t", "o.txt", "n.o"],
    ["/", "o.txt", "n.o"],
    ["./t/data/sub/x", "sub/", "n.o"],
    ["./t/data/not-there-yet", "not-there-yet", "n.o"],
  ])("%s is not read where %s is published", async (file, output, reference) => {
    const found = await said(stage("n", `o: "${output}"`, "publish: t/data") + reader(file));
    expect(found).toMatch(/^x\.yaml:4:\d+ m\.inputs\.x: n publishes to "t\/data\/[\w.-]+", so "/);
    expect(found).toContain(`Write ${reference} instead.`);
  });
  test("is named with its instance, and that of the stage itself is refused too", async () => {
    const matrix = stage("n", "o: o.txt", 'matrix: { s: [1] }, publish: "t/data"');
    expect(await said(matrix + reader("./t/data/o.txt"))).toContain("Write n[s=1].o instead.");
    const own = stage("n", "o: o.txt", "publish: t/data, inputs: { x: ./t/data/o.txt }");
    expect(await said(own)).toContain("this stage publishes n.o to");
  });
  test("may be beside the published files", async () => {
    expect(await said(stage("n", "o: p.txt", "publish: t/data") + reader("./t/data/o.txt"))).toBe("");
  });
});
