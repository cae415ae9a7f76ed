/** The params that names of groups omit: an axis of the study may set more params than the one it is named after. */
import { paramNames, paramOf, shown } from "../../shared/runs/recipe.ts";
import type { GroupSummary } from "./summary.ts";

/** Parts are named by the labels, and their params belong to them; so does what the parts are shown and make. */
const SAID =
  /^((loss|selector|binariser)(\..*)?|network|network\.hidden|sampler|features|bits|dim|distance)$/;

/** The value that most groups have, with how many do. */
function commonest(values: string[]): { value: string; count: number } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [[value, count]] = [...counts].sort(([, a], [, b]) => b - a);
  return { value, count };
}

/** Sentences on the params that a trained group does not share with most, and that none of its axes is named after. */
export function unsaid(
  groups: Record<string, Pick<GroupSummary, "point" | "recipe" | "trained">>,
  words: Map<string, string> = new Map(),
): string[] {
  const trained = Object.entries(groups).filter(([, group]) => group.trained);
  const names = [...new Set(trained.flatMap(([, { recipe }]) => paramNames(recipe)))];
  const found = new Map<string, string[]>();
  for (const name of names.filter((one) => !SAID.test(one))) {
    const valueIn = ({ recipe }: Pick<GroupSummary, "recipe">) => shown(paramOf(recipe, name));
    const most = commonest(trained.map(([, group]) => valueIn(group)));
    if (2 * most.count <= trained.length) continue;
    for (const [label, group] of trained)
      if (valueIn(group) !== most.value && !(name in group.point))
        found.set(label, [
          ...(found.get(label) ?? []),
          `${name} ${valueIn(group)} where most have ${most.value}`,
        ]);
  }
  return [...found].map(([label, told]) => `${words.get(label) ?? label}: ${told.join("; ")}.`);
}
