/** The groups that are compared for one cause, and the causes: by the groups' recipes, not by their names. */
import type { Point } from "../../../runner/stage.ts";
import { type Differing, differing, shown } from "../../shared/runs/recipe.ts";
import type { GroupSummary } from "./summary.ts";

/** The label of a group says the values of these itself. */
const SAID = new Set(["loss", "selector", "sampler", "network", "binariser", "bits", "features"]);

/** Whether two groups differ in one axis of the study: its author sets them against each other. */
function oneAxis(a: Point, b: Point): boolean {
  const axes = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return axes.filter((axis) => a[axis] !== b[axis]).length === 1;
}

/** Why two groups may differ. */
export interface Kin {
  /** Params that the study set otherwise. Where there are none: what validation chose. */
  causes: string[];
  /** Params that validation chose for each, and chose differently. */
  chosen: string[];
  /** The values that the labels do not tell, of the first against the second; "" where they tell all. */
  values: string;
}

/** How two groups are related: they differ in one param, or the study sets them against each other; else undefined. */
export function kinOf(
  a: Pick<GroupSummary, "point" | "recipe">,
  b: Pick<GroupSummary, "point" | "recipe">,
): Kin | undefined {
  const all = differing(a.recipe, b.recipe);
  const set = all.filter(({ chosen }) => !chosen);
  const causes = set.length ? set : all;
  if (causes.length === 0 || (causes.length > 1 && !oneAxis(a.point, b.point))) return undefined;
  const names = (some: Differing[]) => some.map(({ name }) => name).sort();
  return {
    causes: names(causes),
    chosen: set.length ? names(all.filter(({ chosen }) => chosen)) : [],
    values: all
      .filter(({ name }) => !SAID.has(name))
      .map(({ name, first, second }) => `${name} ${shown(first)} against ${shown(second)}`)
      .join(", "),
  };
}

/** Names as a sentence has them: "a", "a and b", "a, b and c". */
export const listed = (names: string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
