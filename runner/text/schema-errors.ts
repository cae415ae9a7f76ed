/** JSON Schema faults as one line a person can act on. */
import type { ErrorObject } from "ajv";
import { closest, distance } from "fastest-levenshtein";
import { brief } from "./one-line.ts";
import type { Path } from "./values.ts";

/** The known word that is nearest to a word; undefined when none is near enough. */
export function nearest(word: string, known: string[]): string | undefined {
  if (known.length === 0) return undefined;
  const near = closest(word, known);
  return distance(word, near) <= Math.max(2, word.length / 3) ? near : undefined;
}

/** ` Did you mean "x"?` when a known word is near enough, else "". */
export function suggest(word: string, known: string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "" : ` Did you mean "${near}"?`;
}

/** The texts that a pattern allows, in words where it is simple enough. */
function patternText(pattern: string, schema: { description?: string } | undefined): string {
  if (/^\^(\[[A-Za-z0-9_-]+\][+*]?)+\$$/.test(pattern) && pattern.includes("A-Za-z0-9"))
    return `must be made of letters, digits, ${pattern.includes("_") ? "- and _" : "and -"}${/^\^\[A-Za-z0-9\]\[/.test(pattern) ? ", the first a letter or a digit" : ""}`;
  return `must have the form ${pattern}${schema?.description ? ` (${schema.description.replace(/\.$/, "")})` : ""}`;
}

/** "a, b or c" */
export function listed(words: unknown[]): string {
  const all = words.map((word) => JSON.stringify(word));
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

/** The fault to speak of: the deepest one; of these an unknown key, then a wrong word, before others. */
function choose(errors: ErrorObject[]): ErrorObject {
  const rank = ({ keyword, data }: ErrorObject) => {
    if (keyword === "additionalProperties") return 0.5;
    return ["enum", "const"].includes(keyword) && typeof data === "string" ? 0.25 : 0;
  };
  const depth = (error: ErrorObject) => error.instancePath.split("/").length + rank(error);
  return errors
    .filter((error) => !["anyOf", "oneOf", "if"].includes(error.keyword) || errors.length === 1)
    .reduce((best, error) => (depth(error) > depth(best) ? error : best), errors[0]);
}

/** The path of the fault below the checked value, and the message with the next step. */
export function explain(errors: ErrorObject[]): { path: Path; message: string } {
  const fault = choose(errors);
  const path: Path = fault.instancePath
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const { params } = fault;
  switch (fault.keyword) {
    case "additionalProperties": {
      const word = params.additionalProperty as string;
      const known = Object.keys((fault.parentSchema as { properties?: object })?.properties ?? {});
      // Of words equally near, one that is not there already.
      const free = known.filter((key) => !Object.hasOwn(fault.data as object, key));
      const hint =
        suggest(word, [...free, ...known]) ||
        (known.length ? ` Known are ${known.join(", ")}.` : " None is known here.");
      return { path: [...path, word], message: `unknown key.${hint}` };
    }
    case "required":
      return { path, message: `"${params.missingProperty}" is missing.` };
    case "enum":
    case "const": {
      const allowed = (params.allowedValues ?? [params.allowedValue]) as unknown[];
      const hint = typeof fault.data === "string" ? suggest(fault.data, allowed.map(String)) : "";
      return { path, message: `must be ${listed(allowed)}, not ${brief(fault.data)}.${hint}` };
    }
    case "type":
      return {
        path,
        message: `must be of type ${[params.type].flat().join(" or ")}, not ${brief(fault.data)}.`,
      };
    case "pattern":
    case "propertyNames": {
      const word = fault.propertyName ?? fault.data;
      const { pattern = "" } = params as { pattern?: string };
      return {
        path: fault.propertyName === undefined ? path : [...path, fault.propertyName],
        message: `${patternText(pattern, fault.parentSchema as { description?: string } | undefined)}, not ${brief(word)}.`,
      };
    }
    default:
      return {
        path,
        message: `${fault.message}${fault.data === undefined ? "" : `, not ${brief(fault.data)}`}.`,
      };
  }
}
