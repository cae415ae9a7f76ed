/** The command of a shell stage (`run:` in pipeline.yaml), with what it names put in. */
import { resolve as absolute, relative, sep } from "node:path";
import { brief, dig, own, shellWord } from "../text/index.ts";
import { cutCommand, type Lookup, nothingCalled, OMIT } from "./interpolate.ts";
import { type Place, ShellText } from "./quoting.ts";

type Refuse = (expression: string, why: string) => never;

/** The names that are known only when the stage runs, or are params. */
const LATER = ["in.", "out.", "with."];

/** A hole with its value: `${seed=3}`; the name before the first "=" is for people. */
const holding = (hole: string, value: unknown): string =>
  `\${${hole.replaceAll("=", "")}=${JSON.stringify(value).replaceAll("}", "\\u007d")}}`;

const withEscapes = (text: string): string => text.replaceAll("${", () => "$${");

/** The words that a value gives. @param refuse told of a map and of nothing, which are no words */
function wordsOf(expression: string, value: unknown, refuse: Refuse): string[] {
  return [value].flat(1).map((one) => {
    if (one === null || typeof one === "object")
      refuse(
        expression,
        `\${${expression}} holds ${brief(one)}, which is no word. Name a text or a number in it.`,
      );
    const word = String(one);
    if (word.includes("\0")) refuse(expression, `\${${expression}} holds a NUL, which no word can.`);
    return word;
  });
}

/**
 * A command with the values that are known before anything runs: each `${name}` becomes a hole that holds its value, so
 * that it is quoted like all others and enters the key. A command that is one `${name}` is that text.
 */
export function fixCommand(command: string, lookup: Lookup, refuse: Refuse): unknown {
  const { texts, holes } = cutCommand(command, refuse);
  const isLater = (hole: string) => LATER.some((prefix) => hole.startsWith(prefix));
  if (holes.length === 1 && texts.join("") === "" && !isLater(holes[0]))
    return lookup(holes[0]) ?? refuse(holes[0], nothingCalled(holes[0]));
  const filled = holes.map((hole) => {
    if (isLater(hole)) return `\${${hole}}`;
    const value = lookup(hole);
    if (value === undefined) refuse(hole, nothingCalled(hole));
    const words = value === OMIT ? [] : wordsOf(hole, value, refuse);
    return holding(hole, words.length === 1 ? words[0] : words);
  });
  return filled.reduce(
    (all, hole, index) => all + hole + withEscapes(texts[index + 1]),
    withEscapes(texts[0]),
  );
}

/** The params that a command takes, or that its stage has already. */
export function paramsOf(stage: { run?: string; with?: Record<string, unknown> }): Set<string> {
  const named = (stage.run ?? "").matchAll(/\$\{\s*with\.([\w-]+)/g);
  return new Set([...Object.keys(stage.with ?? {}), ...[...named].map(([, name]) => name)]);
}

/**
 * The command with the paths and params of a run. Each value is given to the shell as a variable, and the command
 * expands it: what a value holds is never read as shell. Between double quotes, many values are one text with spaces;
 * elsewhere each is a word.
 * @param values `in`, `out` and `with`, each a map from name to value or values
 * @param refuse called with an expression that names none of them, or is where the shell fills in nothing
 */
export function fillCommand(
  command: string,
  values: Record<string, Record<string, unknown>>,
  refuse: Refuse,
): string {
  const { texts, holes } = cutCommand(command, refuse);
  const variables = new Map<string, { name: string; words: string[] }>();
  const shell = new ShellText();
  shell.read(texts[0]);
  const filled = holes.map((hole, index) => {
    const place = shell.value();
    shell.read(texts[index + 1]);
    if (!variables.has(hole)) {
      const value = meaningOf(hole, values);
      if (value === undefined) return refuse(hole, nothingCalled(hole));
      variables.set(hole, {
        name: `deephash_${variables.size + 1}`,
        words: wordsOf(hole, value, refuse),
      });
    }
    return expansion(hole, variables.get(hole)!, place, refuse) + texts[index + 1];
  });
  const given = [...variables.values()].map(({ name, words }) =>
    words.length === 1 ? `${name}=${shellWord(words[0])}` : `${name}=(${words.map(shellWord).join(" ")})`,
  );
  // On the command's own first line, so that the lines that the shell tells of are those of the file.
  return given.map((one) => `${one}; `).join("") + texts[0] + filled.join("");
}

function meaningOf(hole: string, values: Record<string, Record<string, unknown>>): unknown {
  if (!LATER.some((prefix) => hole.startsWith(prefix))) {
    const at = hole.indexOf("=");
    return at < 0 ? undefined : JSON.parse(hole.slice(at + 1));
  }
  const [head, ...path] = hole.split(".");
  return dig(own(values, head), path);
}

/** How the command names a variable at a place. */
function expansion(
  hole: string,
  { name, words }: { name: string; words: string[] },
  place: Place,
  refuse: Refuse,
): string {
  if (place.kind === "none")
    return refuse(
      hole,
      `\${${hole}} ${place.why}. Take the quotes away (the value is always one word), or assign it to a variable first.`,
    );
  if (words.length === 0) return "";
  const all = words.length === 1 ? "" : place.kind === "word" ? "[@]" : "[*]";
  return place.kind === "word" ? `"\${${name}${all}}"` : `\${${name}${all}}`;
}

/** A file after > is written, not read. */
const WRITTEN = />[>|&]?[ \t]*[^\s;&|()<>]+/g;
/** The characters that end a file name in a command; "=" and ":" as in --config=FILE and A:B. */
const BETWEEN = /[\s"'`;&|()<>{}$=,:\\]+/;

/**
 * The project's files that a command names, by their paths from the project's folder: a script and the files given to
 * it. Only whole words are seen, not what a pattern, a folder or a change of folder means.
 * @param values `with`
 * @param isFile whether a path from the project's folder is a file
 */
export function filesNamed(
  command: string,
  values: Record<string, Record<string, unknown>>,
  root: string,
  isFile: (path: string) => boolean,
): string[] {
  const { texts, holes } = cutCommand(command, (_, why) => {
    throw new Error(why);
  });
  const known = holes.map((hole) => [meaningOf(hole, values) ?? " "].flat().join(" "));
  const text = known.reduce((all, value, index) => all + value + texts[index + 1], texts[0]);
  const paths = text
    .replace(WRITTEN, " ")
    .split(BETWEEN)
    .map((word) => relative(root, absolute(root, word)))
    .filter((path) => path !== "" && path.split(sep)[0] !== "..");
  return [...new Set(paths)].filter(isFile).sort();
}
