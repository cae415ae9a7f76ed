/** Words that this project's messages, comments, docs and test names do not use, each with the word to write instead. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** A phrase, and what to write. "lies" of points, classes and codes is geometry; of files it is not English. */
const INSTEAD: [RegExp, string][] = [
  [/\bmend(s|ed|ing)?\b/i, "fix, correct or repair"],
  [/\b(re)?made anew\b|\banew\b/i, "again, rebuilt or resampled"],
  [/\b(set|sets|setting|keeps?|kept) (\w+ ){0,5}aside\b/i, "quarantine"],
  [/\bhalf[- ]made\b/i, "temporary or incomplete"],
  [/\b(broken?|breaks?) off\b/i, "truncated or interrupted"],
  [/\bat hand\b/i, "available, or there is"],
  [/\b(links?|paths?|it|one|name) leads? (to|nowhere|out)\b/i, "points to"],
  [/\btroubles?\b/i, "failure"],
  [/\bby heart\b/i, "trivially"],
  [/\bbad\b/i, "corrupt, invalid or wrong"],
  [
    /\b(file|object|record|index|output|folder|image|input|artifact)s? (really )?lies?\b/i,
    "is, or the path of",
  ],
  [/\bknows? (it|them) no more\b|\bno more knows?\b/i, "no longer lists"],
  [/\bthe (clock|meter) (says|wrote|tells)\b/i, "measured"],
  [/\bLOOKS\b/, "a name with its unit and role"],
  [/\bstands?\b(?! for\b)/i, "is, or occurs"],
  // Relatives without a head: a sentence that opens with one, and the commonest within a sentence.
  [
    /(?:^|[.!;] |\/\*\*? |\/\/ |# )(What|Whatever|Who|Whoever|Which) [^.?!]*(?:[.!]|\*\/|$)/,
    "the noun: the files that …, the reason why …",
  ],
  [/\bwhat (is|was|are|were)\b(?! (wrong|expected))/, "the noun: the files that are …"],
  [/\bwhatever\b/i, "for any, or at any"],
  [
    /\b(file|record|schema|list|name|report|store|key|plan|hash|table|header|log|index|page|docstring|code) (says|knows|wants|tells)\b/,
    "has, or contains",
  ],
];

/** Texts that hold such a word rightly: names of files, a fixture's name, the words of other programs. */
const ALLOWED = [
  /`?\bbad\/`?/, // the store's folder of quarantined files
  /"bad"/,
  /\bbad (huffman|box|alloc)|bad\.\?alloc/, // messages of other programs
  /--bad\b/, // a colour
  /\bbad(\[|\\\[)?by=/,
  /class bad/, // a class of a test
];

/** Of tests only: a stage of their projects. */
const FIXTURE = /\btrouble\b/;

/** The comments, and the texts of more than one word, of a source file; all of a page of docs. */
function textsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  if (file.endsWith(".md") || file.startsWith("templates/")) return text.split("\n");
  if (file.endsWith(".yaml")) return [...text.matchAll(/# .*/g)].map(([comment]) => comment);
  if (file.endsWith(".json"))
    return [...text.matchAll(/"(title|description)": "([^"]*)"/g)].map((found) => found[2]);
  const found: string[] = [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const comments = (from: number) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, from) ?? []) found.push(text.slice(pos, end));
    for (const { pos, end } of ts.getTrailingCommentRanges(text, from) ?? [])
      found.push(text.slice(pos, end));
  };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      if (node.text.includes(" ")) found.push(node.text);
    } else if (ts.isTemplateExpression(node)) found.push(node.getText(source));
    comments(node.pos);
    comments(node.end);
    ts.forEachChild(node, visit);
  };
  visit(source);
  // A comment of several lines is one text: a phrase may cross a line.
  return [...new Set(found)].map((one) => one.replace(/\n\s*(\*|\/\/)? ?/g, " "));
}

/** `file: the text around a word → the word to write` for each such word. */
const wordsIn = (text: string, allowed = ALLOWED): string[] =>
  INSTEAD.flatMap(([word, instead]) => {
    const rest = allowed.reduce((left, one) => left.replaceAll(new RegExp(one, "g"), ""), text);
    const found = word.exec(rest);
    return found
      ? [`${rest.slice(Math.max(0, found.index - 30), found.index + 40).trim()} → ${instead}`]
      : [];
  });

const FOLDERS = [
  "bench",
  "bin",
  "docs",
  "examples",
  "init",
  "library",
  "runner",
  "schemas",
  "search",
  "stages",
  "templates",
  "test",
];
const files = execFileSync("git", ["ls-files", "-z", "*.md", "*.yaml", ...FOLDERS], { encoding: "utf8" })
  .split("\0")
  .filter(
    (file) =>
      (/\.(ts|mjs|json|md|yaml)$/.test(file) || file.startsWith("templates/")) &&
      !/^(test\/conformance|reports)\//.test(file),
  )
  .filter((file) => file !== "test/english.test.ts" && existsSync(file));

describe("plain English", () => {
  test.each([
    "README.md",
    "CONTRIBUTING.md",
    "pipeline.yaml",
    "studies/",
    ...FOLDERS.map((folder) => `${folder}/`),
  ])("in %s", (place) => {
    const read = files.filter((file) => file.startsWith(place));
    expect(read.length).toBeGreaterThan(0);
    const allowed = place === "test/" ? [...ALLOWED, FIXTURE] : ALLOWED;
    const found = read.flatMap((file) =>
      textsOf(file).flatMap((text) => wordsIn(text, allowed).map((one) => `${file}: ${one}`)),
    );
    expect(found).toEqual([]);
  });

  test("the check finds such a word in a comment, a message and a test's name, and passes names in code", () => {
    expect(wordsIn("what is bad is set aside, and made anew by the next run")).toHaveLength(4);
    expect(wordsIn("Where an object lies.")).toEqual(["Where an object lies. → is, or the path of"]);
    expect(wordsIn("the points lie in a cluster; quarantined files are in bad/")).toEqual([]);
    expect(wordsIn("/** What others see of a record. */")).toHaveLength(1);
    expect(wordsIn("It writes. Whoever reads it, waits.")).toHaveLength(1);
    expect(wordsIn("What is the best margin? What do the losses make of it?")).toEqual([]);
    expect(wordsIn("A name that stands for what was written")).toHaveLength(1);
    expect(textsOf("test/english.test.ts")).toContainEqual(
      expect.stringContaining("a phrase may cross a line"),
    );
  });
});
