/** What does each step bring? Of a study with an axis `step`: each way to make the same codes, the lowest first. */
import type { GroupSummary } from "../numbers/summary.ts";
import {
  type Answer,
  addressOf,
  barOf,
  differenceOf,
  entriesOf,
  type Numbers,
  seedsOf,
  size,
  told,
} from "./answer.ts";

/** The axis whose values are the steps. */
const AXIS = "step";

type Entry = [label: string, group: GroupSummary];

/** The best group of each step, at the greatest length that all of them share; the lowest first. */
function stepsOf({ summary }: Numbers): Entry[] {
  const groups = entriesOf(summary).filter(([, { point }]) => typeof point[AXIS] === "string");
  const steps = [...new Set(groups.map(([, { point }]) => point[AXIS]))];
  const at = (length: number) =>
    steps.flatMap((step) => {
      const found = groups.find(([, { point, dim }]) => point[AXIS] === step && dim === length);
      return found ? [found] : [];
    });
  const lengths = [...new Set(groups.map(([, { dim }]) => dim))].sort((a, b) => b - a);
  const shared = lengths.find((length) => at(length).length === steps.length);
  return shared === undefined ? [] : at(shared).reverse();
}

/** Each step less the one below it; undefined where a study has fewer than two steps. */
export function steps(numbers: Numbers): Answer | undefined {
  const found = stepsOf(numbers);
  if (found.length < 2) return undefined;
  const { summary, protocol } = numbers;
  const nameOf = ([, { point }]: Entry) => String(point[AXIS]).replaceAll("-", " ");
  const [first] = found;
  const top = found.at(-1)!;
  const gains = found.slice(1).map((entry, before) => {
    const difference = differenceOf(summary, entry[0], found[before][0]);
    return `${nameOf(entry)} ${told(entry[1].metrics.map)}${difference ? `, ${size(difference)}` : ""}`;
  });
  const whole = found.length > 2 && differenceOf(summary, top[0], first[0]);
  return {
    id: "steps",
    question: "What does each step bring?",
    lines: [
      `Under the protocol ${protocol}, in mAP: ${nameOf(first)} ${told(first[1].metrics.map)}; each step less the one before it: ${gains.join("; ")}; ${seedsOf(top[1])}.`,
      ...(whole ? [`From ${nameOf(first)} to ${nameOf(top)}: ${size(whole)}.`] : []),
    ],
    measure: "mAP",
    bars: found.map((entry) => barOf(nameOf(entry), ...entry)),
    addresses: found.map(([label]) => addressOf(numbers, label, "map")),
  };
}
