/** How few bits are enough, and how do codes compare with published ones? */
import { publishedUnder } from "../../shared/runs/published.ts";
import { paramOf } from "../../shared/runs/recipe.ts";
import type { GroupSummary } from "../numbers/summary.ts";
import {
  type Answer,
  addressOf,
  type Bar,
  barOf,
  differenceOf,
  entriesOf,
  type Numbers,
  seedsOf,
  size,
  three,
  told,
} from "./answer.ts";

type Entry = [label: string, group: GroupSummary];

const isCode = ([, { distance }]: Entry) => distance === "hamming";
const bytes = (bits: number) => `${Math.ceil(bits / 8)} bytes`;

/** The best learned code of each length, the shortest first. */
function bestOfLengths(numbers: Numbers): Entry[] {
  const learned = entriesOf(numbers.summary).filter((entry) => isCode(entry) && entry[1].trained);
  const lengths = [...new Set(learned.map(([, { dim }]) => dim))].sort((a, b) => a - b);
  return lengths.map((bits) => learned.find(([, { dim }]) => dim === bits)!);
}

/** The code that needs no labels, of the same length and the best of them. */
const baselineOf = (numbers: Numbers, bits: number): Entry | undefined =>
  entriesOf(numbers.summary).find((entry) => isCode(entry) && !entry[1].trained && entry[1].dim === bits);

/** The shortest code that is not significantly below the best one; undefined for fewer than two lengths. */
export function bits(numbers: Numbers): Answer | undefined {
  const { summary, names, protocol } = numbers;
  const lengths = bestOfLengths(numbers);
  if (lengths.length < 2) return undefined;
  const [bestLabel, best] = lengths.reduce((a, b) => (b[1].metrics.map.mean > a[1].metrics.map.mean ? b : a));
  const against = (label: string) => differenceOf(summary, label, bestLabel);
  const tested = lengths.filter(([label]) => label === bestLabel || against(label));
  const enough = tested.find(([label]) => label === bestLabel || !against(label)!.excludes_zero);
  const shortLabel = enough ? enough[0] : bestLabel;
  const difference = against(shortLabel);
  const [leastLabel, least] = lengths[0];
  const kept = Math.round((100 * least.metrics.map.mean) / best.metrics.map.mean);
  const baseline = baselineOf(numbers, best.dim);
  const overBaseline = baseline && differenceOf(summary, bestLabel, baseline[0]);
  return {
    id: "bits",
    question: "How few bits are enough?",
    lines: [
      `Under the protocol ${protocol}, ${names.get(bestLabel)} has the highest mAP of the codes, ${told(best.metrics.map)}, ${seedsOf(best)}. ${
        shortLabel === bestLabel
          ? "Every shorter code is significantly below."
          : `As good with fewer bits: ${names.get(shortLabel)}: ${size(difference!)}.`
      }`,
      [
        leastLabel === bestLabel
          ? ""
          : `${least.dim} bits (${bytes(least.dim)}) keep ${kept} % of it: ${three(least.metrics.map.mean)} with ${names.get(leastLabel)}.`,
        overBaseline ? `Above ${names.get(baseline[0])}, which needs no labels: ${size(overBaseline)}.` : "",
      ]
        .filter(Boolean)
        .join(" "),
    ].filter(Boolean),
    measure: "mAP",
    bars: lengths.map(([label, group]) => barOf(`${group.dim} bits`, label, group)),
    addresses: [...new Set([bestLabel, shortLabel, leastLabel])].map((label) =>
      addressOf(numbers, label, "map"),
    ),
  };
}

/** The best code of the longest length that papers report, beside the published numbers; undefined without them. */
export function published(numbers: Numbers): Answer | undefined {
  const papers = publishedUnder(numbers.protocol);
  const lengths = bestOfLengths(numbers).filter(([, { dim }]) =>
    papers.some(({ map }) => map[dim] !== undefined),
  );
  const own = lengths.at(-1);
  if (!own) return undefined;
  const [label, group] = own;
  const known = papers
    .filter(({ map }) => map[group.dim] !== undefined)
    .sort((a, b) => b.map[group.dim] - a.map[group.dim]);
  const { low, high } = group.metrics.map.seeds ?? group.metrics.map.queries ?? {};
  const of = (wanted: (value: number) => boolean) => known.filter(({ map }) => wanted(map[group.dim])).length;
  const mean = group.metrics.map.mean;
  const [above, below] = [of((value) => value > (high ?? mean)), of((value) => value < (low ?? mean))];
  const top = known[0];
  const features = paramOf(group.recipe, "features") as { backbone?: string } | undefined;
  const tuned = paramOf(group.recipe, "backbone");
  const origin = tuned
    ? `with ${tuned} trained`
    : ["on frozen", features?.backbone, "features"].filter(Boolean).join(" ");
  return {
    id: "published",
    question: "How do the codes compare with published ones?",
    lines: [
      `Under the protocol ${numbers.protocol} at ${group.dim} bits, ${numbers.names.get(label)} ${origin} has a mAP of ${told(group.metrics.map)}: above ${below} and below ${above} of ${known.length} published numbers.`,
      `The highest is ${three(top.map[group.dim])} (${top.method}, ${top.source}). Those methods train the whole network${tuned ? " of another backbone" : ""}, and no test covers the differences.`,
    ],
    measure: "mAP",
    bars: [
      barOf(numbers.names.get(label)!, label, group),
      ...known.slice(0, 4).map(
        ({ method, backbone, map }): Bar => ({
          name: `${method}, ${backbone.split(",")[0]} (published)`,
          value: map[group.dim],
        }),
      ),
    ],
    addresses: [addressOf(numbers, label, "map")],
  };
}
