/** The parameters of a request, each checked. */
import { wholeNumber } from "../../runner/text/index.ts";
import { labelsOf } from "../classes.ts";
import type { Wanted } from "../nearest.ts";
import type { Index } from "../opened.ts";
import { LIMITS } from "./limits.ts";
import { Refusal } from "./refusal.ts";

const TOP = 10;

/** @throws Refusal for a parameter that is not one of these, or given twice */
export function checkNames(query: URLSearchParams, names: string[]): void {
  for (const name of new Set(query.keys())) {
    if (!names.includes(name))
      throw new Refusal(
        400,
        `There is no parameter ${JSON.stringify(name)}. There are: ${names.join(", ") || "none"}.`,
      );
    if (name !== "class" && query.getAll(name).length > 1)
      throw new Refusal(400, `The parameter ${name} is given twice.`);
  }
}

/** A whole number. @throws Refusal when it is none, or too small or large */
export function numberOf(
  query: URLSearchParams,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = wholeNumber(text, least);
  if (value === undefined || value > most)
    throw new Refusal(400, `${name} must be a whole number from ${least} to ${most}.`);
  return value;
}

/** One of some words. @throws Refusal for another */
export function wordOf<Word extends string>(
  query: URLSearchParams,
  name: string,
  words: Word[],
): Word | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!words.includes(text as Word)) throw new Refusal(400, `${name} must be ${words.join(" or ")}.`);
  return text as Word;
}

/** The labels that `class` and `filter` ask for; undefined for all. @throws UserError for a class that is not there */
export function labelsWanted(query: URLSearchParams, index: Index): Set<number> | undefined {
  const classes = query.getAll("class");
  const filter = (query.get("filter") ?? "").trim();
  if (filter.length > LIMITS.filter) throw new Refusal(400, `filter may have ${LIMITS.filter} characters.`);
  const named = classes.length > 0 ? labelsOf(index, classes, "class", "the index") : undefined;
  if (filter === "") return named;
  const part = filter.toLowerCase();
  const matching = index.codes.classes.flatMap((name, label) =>
    name.toLowerCase().includes(part) && (!named || named.has(label)) ? [label] : [],
  );
  return new Set(matching);
}

export const FILTERS = ["top", "class", "filter"];

export const topOf = (query: URLSearchParams): number => numberOf(query, "top", 1, LIMITS.top) ?? TOP;

/** The images that are asked for. @throws Refusal, or UserError for a class that is not there */
export function wantedOf(query: URLSearchParams, index: Index): Wanted {
  checkNames(query, [...FILTERS, "radius", "order", "all_ties"]);
  return {
    top: topOf(query),
    radius: numberOf(query, "radius", 0, index.codes.bits),
    order: wordOf(query, "order", ["bits", "outputs"]),
    allTies: wordOf(query, "all_ties", ["true", "false"]) === "true",
    labels: labelsWanted(query, index),
  };
}
