import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellWord } from "../../../runner/text/quote.ts";

test.each([
  "",
  "a b",
  "it's",
  '$HOME `id` \\ "',
  "*",
  "'",
  "''",
  "\n",
  "-n",
])("a shell reads %j unchanged", (text) => {
  expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
});

test("a shell reads several words as several", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string().filter((text) => !text.includes("\0")),
        { minLength: 1 },
      ),
      (texts) => {
        const script = `printf '%s\\0' ${texts.map(shellWord).join(" ")}`;
        const out = execFileSync("sh", ["-c", script], { encoding: "utf8" });
        expect(out.split("\0").slice(0, -1)).toEqual(texts);
      },
    ),
    { numRuns: 30 },
  );
});
