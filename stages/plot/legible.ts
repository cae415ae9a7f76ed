/** Names that a person gave, in a form that can always be drawn. */
import { shown } from "../shared/text.ts";

/** Has no width. */
const NOTHING = "\u200b";

/**
 * A text that can be written as XML and that Vega takes: it looks names up in plain objects, and so fails at one that
 * every object has, as "constructor".
 */
export function legible(text: string): string {
  const name = shown(text);
  return name in {} ? `${name}${NOTHING}` : name;
}

/** A figure's parts with every text {@link legible}. */
export function legibly<T>(value: T): T {
  if (typeof value === "string") return legible(value) as T;
  if (Array.isArray(value)) return value.map(legibly) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, legibly(inner)])) as T;
}
