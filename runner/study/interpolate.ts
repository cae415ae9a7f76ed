/** `$name` and `${name}` in the values of a study; `$$` is a dollar. In a command only `${name}` is ours, and `$${` is `${`. */
import { isMap } from "../text/index.ts";

/** Looks up one expression, as `seed`; undefined when there is no such thing. */
export type Lookup = (expression: string) => unknown;

/** The result of a lookup for something that may be left out: its key or item goes. */
export const OMIT = Symbol("omit");

/** Told of a hole that cannot be filled: its expression, why in a sentence, and where it is. */
export type Refuse = (expression: string, why: string, path: (string | number)[]) => never;

/** An escape, or a hole; an unclosed one matches up to the end, so that no character is read twice. */
const VALUE_HOLE = /\$\$|\$\{([^}]*)(\}?)|\$([\w-]*)/g;
const COMMAND_HOLE = /\$\$\{|\$\{([^}]*)(\}?)/g;

/** A text that is one name: it takes the value with its type. */
const WHOLE = /^\$([\w-]+(?:\.[\w-]+)*\??)$/;

type Tell = (expression: string, why: string) => never;

/** A text's expressions, and the texts before, between and after them. */
interface Cut {
  texts: string[];
  holes: string[];
}

/** Cuts a text at its holes. */
function cutAt(pattern: RegExp, text: string, refuse: Tell): Cut {
  const texts = [""];
  const holes: string[] = [];
  let end = 0;
  for (const { 0: all, 1: inner, 2: close, 3: bare, index } of text.matchAll(pattern)) {
    texts[holes.length] += text.slice(end, index);
    end = index + all.length;
    if (bare !== undefined) refuse(bare, bareDollar(bare));
    if (inner === undefined) texts[holes.length] += all.slice(1);
    else {
      if (!close) refuse(inner, "a ${ is never closed. Write $${ for the two characters themselves.");
      holes.push(inner.trim());
      texts.push("");
    }
  }
  texts[holes.length] += text.slice(end);
  return { texts, holes };
}

const bareDollar = (name: string): string =>
  name === ""
    ? "a single $ names nothing. Write $$ for the character itself."
    : `$${name} is within a text. Write \${${name}} for the value, or $$${name} for the characters themselves.`;

/** The values that were cut: each instance of a stage has the same ones. */
const cuts = new Map<string, Cut>();

/** Cuts a value at its holes. */
export function cut(text: string, refuse: Tell): Cut {
  const known = cuts.get(text) ?? cutAt(VALUE_HOLE, text, refuse);
  cuts.set(text, known);
  return known;
}

/** Cuts a command at its holes: the shell's own `$name` stays. */
export const cutCommand = (text: string, refuse: Tell) => cutAt(COMMAND_HOLE, text, refuse);

/** The refusal of an expression that names nothing. */
export const nothingCalled = (expression: string): string => `nothing is called "${expression}".`;

const holdsMap = (value: unknown): boolean => (Array.isArray(value) ? value.some(holdsMap) : isMap(value));

function fillText(text: string, lookup: Lookup, refuse: Tell): unknown {
  if (!text.includes("$")) return text;
  const [, name] = WHOLE.exec(text) ?? [];
  const { texts, holes } = name ? { texts: ["", ""], holes: [name] } : cut(text, refuse);
  const found = holes.map((hole) => {
    const one = lookup(hole);
    return one === undefined ? refuse(hole, nothingCalled(hole)) : one;
  });
  if (found.length === 1 && texts.join("") === "") return found[0];
  for (const [index, one] of found.entries())
    if (holdsMap(one)) refuse(holes[index], `\${${holes[index]}} is a map. Name one of its values.`);
  return texts.reduce((all, part, index) => {
    const one = found[index - 1];
    return all + (one === OMIT ? "" : String(one)) + part;
  });
}

/**
 * Puts values in the place of every `$name` and `${name}` in the strings of `value`. A string that is one name takes
 * the value with its type; in a longer string it is written out.
 * @param refuse called for an unknown expression, for a map within a longer string, and for a single `$`
 */
export function interpolate(
  value: unknown,
  lookup: Lookup,
  refuse: Refuse,
  path: (string | number)[] = [],
): unknown {
  if (typeof value === "string")
    return fillText(value, lookup, (expression, why) => refuse(expression, why, path));
  if (Array.isArray(value))
    return value
      .map((item, index) => interpolate(item, lookup, refuse, [...path, index]))
      .filter((item) => item !== OMIT);
  if (!isMap(value)) return value;
  const filled: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = interpolate(value[key], lookup, refuse, [...path, key]);
    if (item !== OMIT) filled[key] = item;
  }
  return filled;
}
