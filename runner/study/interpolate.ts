/** `${...}` in the values of pipeline.yaml; `$${` stands for the two characters `${` themselves. */
import { isMap } from "../text/index.ts";

/** Looks up one expression, as `vars.seed`; undefined when there is no such thing. */
export type Lookup = (expression: string) => unknown;

/** What a lookup gives for something that may be left out: the key or the item it stands for goes. */
export const OMIT = Symbol("omit");

/** Told of a hole that cannot be filled: its expression, why in a sentence, and where it is. */
export type Refuse = (expression: string, why: string, path: (string | number)[]) => never;

/** The escape, or a hole; one that is never closed matches up to the end, so that nothing is looked at twice. */
const HOLE = /\$\$\{|\$\{([^}]*)(\}?)/g;

/** Cuts a text at its holes: the expressions, and the texts before, between and after them. */
export function cut(
  text: string,
  refuse: (expression: string, why: string) => never,
): { texts: string[]; holes: string[] } {
  const texts = [""];
  const holes: string[] = [];
  let end = 0;
  for (const { 0: all, 1: inner, 2: close, index } of text.matchAll(HOLE)) {
    texts[holes.length] += text.slice(end, index);
    end = index + all.length;
    if (inner === undefined) texts[holes.length] += "${";
    else {
      if (!close) refuse(inner, "a ${ is never closed. Write $${ for the two characters themselves.");
      holes.push(inner.trim());
      texts.push("");
    }
  }
  texts[holes.length] += text.slice(end);
  return { texts, holes };
}

/** What is said of an expression that nothing is called by. */
export const nothingCalled = (expression: string): string => `nothing is called \${${expression}}.`;

const holdsMap = (value: unknown): boolean => (Array.isArray(value) ? value.some(holdsMap) : isMap(value));

/**
 * Puts values in the place of every `${...}` in the strings of `value`. A string that is one `${...}` takes
 * the value with its type; in a longer string it is written out.
 * @param refuse called for what `lookup` doesn't know, and for a map within a longer string
 */
export function interpolate(
  value: unknown,
  lookup: Lookup,
  refuse: Refuse,
  path: (string | number)[] = [],
): unknown {
  if (typeof value === "string") {
    if (!value.includes("${")) return value;
    const { texts, holes } = cut(value, (expression, why) => refuse(expression, why, path));
    const found = holes.map((hole) => {
      const one = lookup(hole);
      return one === undefined ? refuse(hole, nothingCalled(hole), path) : one;
    });
    if (found.length === 1 && texts.join("") === "") return found[0];
    for (const [index, one] of found.entries())
      if (holdsMap(one)) refuse(holes[index], `\${${holes[index]}} is a map. Name one of its values.`, path);
    return texts.reduce((all, text, index) => {
      const one = found[index - 1];
      return all + (one === OMIT ? "" : String(one)) + text;
    });
  }
  if (Array.isArray(value))
    return value
      .map((item, index) => interpolate(item, lookup, refuse, [...path, index]))
      .filter((item) => item !== OMIT);
  if (isMap(value))
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, item]) => [key, interpolate(item, lookup, refuse, [...path, key])])
        .filter(([, item]) => item !== OMIT),
    );
  return value;
}
