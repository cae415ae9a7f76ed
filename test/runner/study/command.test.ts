import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { filesNamed, fillCommand } from "../../../runner/study/command.ts";

const refuse = (_: string, why: string): never => {
  throw new Error(why);
};
const fill = (command: string, values: Record<string, unknown>) =>
  fillCommand(command, { in: {}, out: {}, with: values }, refuse);
/** The output of a command. */
const said = (command: string, values: Record<string, unknown>) =>
  execFileSync("bash", ["-c", `set -euo pipefail; ${fill(command, values)}`], { encoding: "utf8" });

const HOSTILE = [
  "$(touch pwned)",
  "`touch pwned`",
  "'; touch pwned; '",
  '"; touch pwned; "',
  "a  b\n\tc",
  "*",
  "~",
  "\\",
  "!x",
  "-n",
  "a)b",
  "${HOME}",
  "#x",
  "END",
  "é🦉",
  "",
];

/** Commands that print `<` what their hole holds `>`. */
const PLACES = [
  "printf '<%s>' ${with.x}",
  "printf '<%s>' \"${with.x}\"",
  "printf %s '<'${with.x}'>'",
  'printf %s "<"${with.x}">"',
  "printf %s \\<${with.x}\\>",
  "a=${with.x}; printf '<%s>' \"$a\"",
  "printf '<%s>' \"$(printf %s. ${with.x} | sed '$ s/.$//')\"",
  "printf '<%s>' \"$(printf %s. \"${with.x}\" | sed '$ s/.$//')\"",
  "printf '<%s>' `printf x >/dev/null`${with.x}",
  'printf \'<%s>\' "a${with.x}b" | sed "s/^<a/</; s/b>\\$/>/"',
  "printf '<%s>' \"$${none:-${with.x}}\"",
  "printf '<%s>' $${none:-${with.x}}",
  "# it's a comment\nprintf '<%s>' ${with.x} # it's one, too",
  "printf '<%s>' ${with.x}\ncat <<'END' >/dev/null\nit's $((\nEND",
  "f() { printf '<%s>' \"$1\"; }; (f ${with.x})",
  "case a in a) printf '<%s>' ${with.x};; esac",
  "printf $'<%s\\x3e' ${with.x}",
  "[[ ${with.x} == \"${with.x}\" ]] && printf '<%s>' ${with.x}",
  "printf '<%s>' ${with.x} <<< \"it's\"",
  "test $((1 + (2 * 3))) = 7 && printf '<%s>' ${with.x}",
];

describe("any value at any place reaches the shell unchanged", () => {
  test.each(PLACES)("%s", (command) => {
    for (const x of HOSTILE) expect(said(command, { x })).toBe(`<${x}>`);
  });
  test("any text in any place", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES),
        fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
        (command, x) => {
          expect(said(command, { x })).toBe(`<${x}>`);
        },
      ),
      { numRuns: 60 },
    );
  });
  test("a here-document takes it, too, and ends where it ends", () => {
    for (const x of HOSTILE.filter((one) => one !== "END")) {
      expect(said("cat <<END\n<${with.x}> $(printf %s. ${with.x} | sed '$ s/.$//')\nEND", { x })).toBe(
        `<${x}> ${x}\n`,
      );
      expect(said("cat <<-END\n\tit's <${with.x}>\n\tEND\nprintf %s ${with.x}", { x })).toBe(
        `it's <${x}>\n${x}`,
      );
    }
  });
});

test("a list gives a word for each, and between double quotes one text", () => {
  expect(said("printf '<%s>' ${with.x}", { x: ["a b", 3, true, "$x"] })).toBe("<a b><3><true><$x>");
  expect(said("printf '<%s>' \"${with.x}\"", { x: ["a b", 3] })).toBe("<a b 3>");
  expect(said("printf '<%s>' a ${with.x} b", { x: [] })).toBe("<a><b>");
});

test.each([
  [
    "echo '${with.x}'",
    "${with.x} is in single quotes, where the shell fills in nothing. Take the quotes away",
  ],
  ["echo $'${with.x}'", "${with.x} is in single quotes"],
  ["echo $((${with.x} + 1))", "${with.x} is in arithmetic, which would run what it holds."],
  ["((${with.x} > 1)) && echo", "${with.x} is in arithmetic"],
  ["echo $(( ((1)) + ${with.x} ))", "${with.x} is in arithmetic"],
  ["echo $[${with.x}]", "${with.x} is in arithmetic"],
  ["cat <<'END'\n${with.x}\nEND", "${with.x} is in a here-document whose delimiter is quoted"],
  ["cat <<\\END\n${with.x}\nEND", "${with.x} is in a here-document whose delimiter is quoted"],
  ["echo ${with.map}", '${with.map} holds {"a":1}, which is no word. Name a text or a number in it.'],
  ["echo ${with.none}", "${with.none} holds null, which is no word."],
  ["echo ${with.nul}", "${with.nul} holds a NUL, which no word can."],
  ["echo ${with.y}", 'nothing is called "with.y".'],
  ["echo ${with.toString}", 'nothing is called "with.toString".'],
  ["echo ${with.x", "a ${ is never closed."],
])("%s is refused", (command, message) => {
  const values = { x: "1", map: { a: 1 }, none: null, nul: "a\0b" };
  expect(() => fill(command, values)).toThrow(message);
});

test("a value in a map is named by its path, and a hole may hold its value itself", () => {
  expect(said('echo ${with.a.b} ${x="it\'s \\u007d"}', { a: { b: 2 } })).toBe("2 it's }\n");
});

test("a command without a hole is the command, to the last byte", () => {
  expect(fill("cat <<END\n$HOME $$ $${x}\nEND", {})).toBe("cat <<END\n$HOME $$ ${x}\nEND");
});

describe("the project's files that a command names", () => {
  const files = ["tools/plot.py", "a.csv", "b c.csv", "data/x.csv", "out.txt"];
  const named = (command: string, values: Record<string, unknown> = {}) =>
    filesNamed(command, { with: values }, "/project", (path) => files.includes(path));
  test.each([
    ["python3 tools/plot.py ${in.metrics} ${out.figure}", ["tools/plot.py"]],
    ["python3 ./tools/../tools/plot.py --data=a.csv", ["a.csv", "tools/plot.py"]],
    ["python3 /project/tools/plot.py < a.csv | sort > out.txt", ["a.csv", "tools/plot.py"]],
    ["bash -c \"cat 'a.csv' data/x.csv\" 2>>out.txt", ["a.csv", "data/x.csv"]],
    ['python3 ${tool="tools/plot.py"} ${with.list} ${with.map.a}', ["a.csv", "data/x.csv", "tools/plot.py"]],
    ["python3 tools/${with.name}.py", ["tools/plot.py"]],
    ["cat data/*.csv ../project2/a.csv / . tools nothing.py", []],
    ["cat ${in.folder}/a.csv", []],
  ])("%s", (command, found) => {
    expect(named(command, { list: ["a.csv"], map: { a: "data/x.csv" }, name: "plot" })).toEqual(found);
  });
});
