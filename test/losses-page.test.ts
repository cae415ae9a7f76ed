/** docs/losses.md is the page that the parts and the reports give, and every part describes itself in full. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { choicesOf } from "../docs/generate/choices.ts";
import { lossesPage } from "../docs/generate/losses.ts";
import { ranking, rankOf, wordsOf } from "../docs/generate/measured.ts";
import { cell, paramsTable, typeOf } from "../docs/generate/params.ts";
import { descriptionOf, readParts } from "../docs/generate/parts.ts";
import { scheduled } from "../stages/train/schedules.ts";

const parts = await readParts();
const choices = choicesOf(parts);
const named = (kind: keyof typeof parts, name: string) => parts[kind].find((part) => part.name === name);

test("docs/losses.md is up to date", async () => {
  // `npm run docs` runs this test with --update, which writes the file.
  await expect(
    await lossesPage(),
    "docs/losses.md is out of date. Rewrite it: npm run docs",
  ).toMatchFileSnapshot("../docs/losses.md");
});

test("each part has a section of its own, with every param", () => {
  const page = readFileSync("docs/losses.md", "utf8");
  const sections = new Map(
    page
      .split(/^### /m)
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf("\n")), text]),
  );
  const all = Object.values(parts).flat();
  expect([...sections.keys()].sort()).toEqual(all.map(({ name }) => name).sort());
  for (const { name, definition } of all)
    for (const param of Object.keys(definition.params ?? {}))
      expect(sections.get(name), name).toContain(`| \`${param}\` |`);
  const anchors = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
  expect(anchors.length).toBeGreaterThan(100);
  const headings = [...page.matchAll(/^##+ (.*)$/gm)].map(([, title]) => title.toLowerCase());
  for (const anchor of anchors) expect(headings).toContain(anchor);
});

describe("a choice", () => {
  test.each(
    choices.map((choice) => [choice.need, choice] as const),
  )("%s: parts that fit together", (_, choice) => {
    const loss = named("losses", choice.loss)!.definition as (typeof parts.losses)[number]["definition"];
    const sampler = named("samplers", choice.sampler)!
      .definition as (typeof parts.samplers)[number]["definition"];
    const selector = choice.selector && named("selectors", choice.selector)!.definition;
    if (loss.selects === "nothing" || sampler.gives) expect(selector).toBeUndefined();
    else expect(selector).toMatchObject({ selects: loss.selects });
    expect(sampler.gives ?? loss.selects).toBe(loss.selects);
  });

  test("was measured with the parts that it names", () => {
    for (const { loss, selector, sampler, measured } of choices) {
      const words = wordsOf(measured[1]).filter((word) => !word.startsWith("bits "));
      expect([loss, selector, sampler]).toEqual(expect.arrayContaining(words));
      expect(rankOf(...measured)).toMatch(/^0\.\d{3} \(rank \d+ of \d+\)$/);
    }
  });

  test("of what the report does not have is an error", () => {
    const [comparison] = choices[0].measured;
    expect(() => rankOf(comparison, "facenet · nothing", "map")).toThrow(/no training "facenet · nothing"/);
    const means = ranking(comparison, "map").map(({ metrics }) => metrics.map.mean);
    expect(means.length).toBeGreaterThan(20);
    expect(means).toEqual(means.toSorted((a, b) => b - a));
  });
});

describe("a docstring", () => {
  const full =
    "/**\n * A loss.\n *\n * Of two\n * lines.\n *\n * @equation\n * a |b|\n *   + {c}\n * @when Now.\n * @source Us\n */\n";
  const code = "export default {};\n";

  test("has a title, paragraphs, an equation with its lines, when to use it, and a source", () => {
    expect(descriptionOf("x.ts", full + code)).toEqual({
      title: "A loss.",
      text: ["Of two lines."],
      equation: "a |b|\n  + {c}",
      when: "Now.",
      source: "Us",
    });
  });

  test.each([
    ["no docstring", code, /no docstring at the top/],
    ["none at the top", `import "y";\n${full}${code}`, /no docstring at the top/],
    ["no equation", full.replace(/ \* @equation\n.*\n.*\n/, "") + code, /no @equation/],
    ["an empty section", full.replace(" Now.", "") + code, /no @when/],
    ["no source", full.replace(" * @source Us\n", "") + code, /no @source/],
    ["a long first line", full.replace("A loss.", "A ".repeat(41)) + code, /one line of 1 to 80/],
  ])("with %s is an error", (_, text, message) => {
    expect(() => descriptionOf("x.ts", text)).toThrow(message);
  });

  test.each(["loss", "selector", "sampler", "network"])("of a new %s is complete", (kind) => {
    const [, file, text] = /^=== (\S+)\n([\s\S]*?)^=== /m.exec(
      readFileSync(`templates/${kind}.txt`, "utf8"),
    )!;
    expect(descriptionOf(file, text).title).toMatch(/\w/);
  });
});

describe("a param", () => {
  test.each([
    [{ type: "number", minimum: 0 }, "number ≥ 0"],
    [{ type: "number", exclusiveMaximum: 1 }, "number < 1"],
    [{ type: "number", exclusiveMinimum: 0, maximum: 1 }, "number in (0, 1]"],
    [{ type: "array", items: { type: "integer", minimum: 1 } }, "list, each integer ≥ 1"],
    [{ enum: ["hard", "easy"] }, "`hard` or `easy`"],
    [scheduled({ default: 1, exclusiveMinimum: 0 }), "number > 0 or [schedule](#schedules)"],
  ])("%j becomes words", (schema, words) => expect(typeOf(schema)).toBe(words));

  test("of an unknown type is an error, not a gap", () => {
    expect(() => typeOf({ type: "string" })).toThrow(/no words for the schema/);
  });

  test("has a row: its default, or that it is required; bars of a table are escaped", () => {
    expect(cell("|u| < 1")).toBe("\\|u\\| \\< 1");
    const table = paramsTable({
      margin: scheduled({ default: 1, minimum: 0, description: "of |u|" }),
      of: { type: "boolean" },
    });
    expect(table.split("\n").slice(2)).toEqual([
      "| `margin` | number ≥ 0 or [schedule](#schedules) | `1` | of \\|u\\| |",
      "| `of` | boolean | required |  |",
    ]);
    expect(paramsTable(undefined)).toBe("No params.");
  });
});
