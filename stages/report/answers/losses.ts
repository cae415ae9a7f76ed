/** What do the losses make of the features? */
import { partWords } from "../../shared/runs/words.ts";
import { listed } from "../numbers/kin.ts";
import {
  type Answer,
  addressOf,
  barOf,
  chosenMargin,
  differenceOf,
  type Numbers,
  size,
  three,
} from "./answer.ts";
import { comparable, type Family, familiesOf } from "./families.ts";

/** How a loss does with the selectors that another one was trained with, too, in words. */
function duel(numbers: Numbers, first: Family, second: Family): string {
  const shared = first.members.flatMap(({ selector, label, group }) => {
    const other = second.members.find((one) => one.selector === selector);
    const found = other && differenceOf(numbers.summary, label, other.label);
    return other && found ? [{ selector, found, collapsed: [group.collapsed, other.group.collapsed] }] : [];
  });
  if (shared.length === 0) return "";
  const of = (wanted: (low: number, high: number) => boolean) =>
    shared.filter(({ found: { low, high } }) => wanted(low, high)).map(({ selector }) => partWords(selector));
  const [above, below] = [of((low) => low > 0), of((_, high) => high < 0)];
  const equal = of((low, high) => low <= 0 && high >= 0);
  const parts = [
    above.length ? `significantly above ${second.name} with ${listed(above)}` : "",
    below.length ? `significantly below with ${listed(below)}` : "",
    equal.length ? `not significantly different with ${listed(equal)}` : "",
  ].filter(Boolean);
  return `With the same mining, ${first.name} is ${parts.join(", ")}.`;
}

const withMargin = ({ label, group, selector }: Family["members"][number], names: Map<string, string>) => {
  const margin = chosenMargin(group);
  const chosen = margin === undefined ? "" : ` and the margin ${margin} that validation chose`;
  return { name: names.get(label)!, words: `${partWords(selector)}${chosen}` };
};

/** The losses that share selectors, best against best and selector by selector; undefined for fewer than two. */
export function losses(numbers: Numbers): Answer | undefined {
  const families = comparable(familiesOf(numbers.summary));
  if (families.length < 2) return undefined;
  const best = families.map((family) => ({ family, top: family.members[0] }));
  best.sort((a, b) => b.top.group.metrics.map.mean - a.top.group.metrics.map.mean);
  const told = best.map(
    ({ family, top }) =>
      `${family.name} ${three(top.group.metrics.map.mean)} (${withMargin(top, numbers.names).words})`,
  );
  const [first, second] = best;
  const found = differenceOf(numbers.summary, first.top.label, second.top.label);
  return {
    id: "losses",
    question: `What do ${listed(families.map(({ name }) => name))} make of them?`,
    lines: [
      `Best mAP of each: ${told.join("; ")}.${found ? ` ${first.family.name} less ${second.family.name}: ${size(found)}.` : ""}`,
      duel(numbers, first.family, second.family),
    ].filter(Boolean),
    measure: "mAP",
    bars: best.map(({ family, top }) => barOf(family.name, top.label, top.group)),
    addresses: best.map(({ top }) => addressOf(numbers, top.label, "map")),
  };
}
