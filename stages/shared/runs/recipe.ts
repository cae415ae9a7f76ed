/**
 * The recipe of a result: every param that it had in the end. It goes with the data from stage to stage, so that results are
 * compared by what made them. A name or a point of the matrix does not tell all: one axis may set several params.
 */

import type { Part } from "../../../runner/stage.ts";

/** Params of a stage, a part as `{ use: "facenet", margin: 0.2 }`. */
export type Settings = Record<string, unknown>;

/** See above; what played no part is left out. */
export interface Recipe {
  /** The metadata of the first vectors: backbone, views. */
  features?: Settings;
  training?: Settings;
  /** Those params of the training that were chosen on validation images, as `loss.margin`. */
  chosen?: string[];
  /** How codes were made of vectors. */
  code?: Settings;
  evaluation?: Settings;
}

/** A param that two results do not share; undefined where one has no such param. */
export interface Differing {
  /** As in pipeline.yaml: `steps`, `network.hidden`. `features` stands for all that made the vectors. */
  name: string;
  first: unknown;
  second: unknown;
  /** Validation chose it for both. */
  chosen: boolean;
}

/** Params that tell no method from another: repetitions, and what a report keeps apart anyway. */
const APART = new Set(["seed", "protocol"]);

/** A part as a recipe has it. */
export const recorded = ({ name, params }: Pick<Part, "name" | "params">): Settings => ({
  use: name,
  ...params,
});

/** JSON that does not depend on the order of keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? "undefined";

const isPart = (value: unknown): value is Settings & { use: string } =>
  value !== null && typeof value === "object" && "use" in value;

/** Params by their name, parts taken apart. */
function flat({ features, training = {}, code = {}, evaluation = {} }: Recipe): Map<string, unknown> {
  const found = new Map<string, unknown>(features ? [["features", features]] : []);
  for (const settings of [training, code, evaluation])
    for (const [name, value] of Object.entries(settings)) {
      if (APART.has(name) || value === undefined || value === null) continue;
      // A code of as many bits as the vectors have values: one length, and bits is its name.
      if (name === "dim" && settings === training && code.bits === value) continue;
      if (!isPart(value)) {
        found.set(name, value);
        continue;
      }
      const { use, ...own } = value;
      found.set(name, use);
      for (const [inner, given] of Object.entries(own)) found.set(`${name}.${inner}`, given);
    }
  return found;
}

/** The params in which two results differ, seed and protocol aside. Params that only one of two different parts has are not named. */
export function differing(a: Recipe, b: Recipe): Differing[] {
  const [first, second] = [flat(a), flat(b)];
  const differs = (name: string) => canonical(first.get(name)) !== canonical(second.get(name));
  return [...new Set([...first.keys(), ...second.keys()])]
    .filter(differs)
    .filter((name) => !name.includes(".") || !differs(name.split(".")[0]))
    .map((name) => ({
      name,
      first: first.get(name),
      second: second.get(name),
      chosen: [a, b].every(({ chosen }) => chosen?.includes(name)),
    }));
}

/** The names of all params, as {@link differing} has them. */
export const paramNames = (recipe: Recipe): string[] => [...flat(recipe).keys()];

/** A param's value; undefined where there is none. */
export const paramOf = (recipe: Recipe, name: string): unknown => flat(recipe).get(name);

/** A name for all results that were made alike, seed, protocol and what validation chose aside. */
export function kindOf(recipe: Recipe): string {
  const params = flat(recipe);
  for (const name of recipe.chosen ?? []) params.delete(name);
  return canonical([...params].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a result was made from this very training: the same vectors, params, seed and protocol. */
export const sameTraining = (a: Recipe, b: Recipe): boolean =>
  a.training !== undefined && canonical([a.features, a.training]) === canonical([b.features, b.training]);

/** Whether two are the same vectors or codes, or results of these. */
export const sameMade = (a: Recipe, b: Recipe): boolean =>
  canonical([a.features, a.training, a.code]) === canonical([b.features, b.training, b.code]);

/** The recipe of vectors or codes, by their table's metadata: features of a backbone are where it begins. */
export function recipeOf({ made, classes: _, ...features }: Record<string, unknown>): Recipe {
  return (made as Recipe | undefined) ?? { features };
}

/** A param's value in a few letters. */
export function shown(value: unknown): string {
  if (value === undefined) return "none";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (isPart(value)) {
    const { use, ...own } = value;
    return [use, ...Object.entries(own).map(([name, given]) => `${name} ${shown(given)}`)].join(" ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}
