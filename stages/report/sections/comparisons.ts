/** Which differences are significant, in sentences and in a table. */
import { byName, isRaw } from "../../shared/runs/groups.ts";
import { type Block, cell, heading, list, type Table, text } from "../document/document.ts";
import { type Kin, kinOf, listed } from "../numbers/kin.ts";
import type { Comparison, GroupSummary, ProtocolSummary } from "../numbers/summary.ts";
import { DECIMALS, nameOf } from "./results.ts";

/** More pairs than this: only those that differ for one cause stand in the table. */
const MOST_PAIRS = 150;
/** More sentences than this on one cause say less than the table. */
const MOST_SENTENCES = 16;

const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(DECIMALS)}`;
const between = ({ low, high }: { low: number; high: number }) => `${signed(low)} to ${signed(high)}`;

/** The comparison the other way round. */
function turned(comparison: Comparison): Comparison {
  const { first, second, difference, low, high } = comparison;
  return { ...comparison, first: second, second: first, difference: -difference, low: -high, high: -low };
}

/** One comparison in words. @param groups tell which values their names leave out */
export function sentence(comparison: Comparison, groups: Record<string, GroupSummary> = {}): string {
  const told = comparison.difference < 0 ? turned(comparison) : comparison;
  const [first, second] = [groups[told.first], groups[told.second]];
  const values = first && second ? kinOf(first, second)?.values : "";
  const name = nameOf(told.metric);
  const size = `${told.difference.toFixed(DECIMALS)} (95 %: ${between(told)})${values ? `; ${values}` : ""}`;
  if (!told.excludes_zero)
    return `No significant difference in ${name} between ${told.first} and ${told.second}: ${size}.`;
  const held = told.p_holm < 0.05 ? "" : " Corrected for all pairs it would not be significant.";
  return `${told.first} is above ${told.second} in ${name} by ${size}.${held}`;
}

/** A comparison of two trained groups that are related. */
type Related = Comparison & { kin: Kin };

function relatedAmong(comparisons: Comparison[], groups: Record<string, GroupSummary>): Related[] {
  return comparisons.flatMap((pair): Related[] => {
    if (isRaw(pair.first) || isRaw(pair.second)) return [];
    const kin = kinOf(groups[pair.first], groups[pair.second]);
    return kin ? [{ ...pair, kin }] : [];
  });
}

/** Both metrics of every pair, a row a pair. */
function pairTable(protocol: string, { groups, comparisons }: ProtocolSummary): Table {
  const maps = comparisons.filter(({ metric }) => metric === "map");
  const kinds = new Map(maps.map((pair) => [pair, kinOf(groups[pair.first], groups[pair.second])]));
  const shown =
    maps.length <= MOST_PAIRS
      ? maps
      : maps.filter((pair) => isRaw(pair.first) || isRaw(pair.second) || kinds.get(pair));
  const left = maps.length - shown.length;
  const half = (comparison: Comparison) => [
    { text: signed(comparison.difference), sort: comparison.difference },
    { text: between(comparison), sort: comparison.low },
    { ...cell(comparison.excludes_zero ? "yes" : "no"), sort: comparison.excludes_zero ? 1 : 0 },
    { text: comparison.p_holm < 0.001 ? "< 0.001" : comparison.p_holm.toFixed(3), sort: comparison.p_holm },
  ];
  const cause = (kin: Kin | undefined) =>
    kin ? [...kin.causes, ...kin.chosen.map((name) => `${name} (chosen)`)].join(", ") : "several";
  return {
    kind: "table",
    caption: `Differences, first less second, protocol ${protocol}, with the params in which the two differ; "chosen": by validation, for each.${left ? ` The other ${left} pairs differ in several params; they stand in comparisons.csv.` : ""}`,
    columns: [
      { title: "first" },
      { title: "second" },
      { title: "differ in" },
      ...["mAP", "kNN accuracy"].flatMap((name) => [
        { title: name, number: true },
        { title: "95 %", number: true },
        { title: "excludes 0" },
        { title: "p (Holm)", number: true },
      ]),
    ],
    rows: shown.map((comparison) => {
      const accuracy = comparisons.find(
        ({ metric, first, second }) =>
          metric === "knn_accuracy" && first === comparison.first && second === comparison.second,
      )!;
      return [
        cell(comparison.first),
        cell(comparison.second),
        cell(cause(kinds.get(comparison))),
        ...half(comparison),
        ...half(accuracy),
      ];
    }),
  };
}

/** The sentences of related pairs, a heading for each cause, which names every param that differs. */
function causeBlocks(maps: Comparison[], groups: Record<string, GroupSummary>): Block[] {
  const causes = byName(relatedAmong(maps, groups), ({ kin }) => listed(kin.causes));
  return [...causes]
    .filter(([, pairs]) => pairs.length <= MOST_SENTENCES)
    .flatMap(([cause, pairs]) => {
      const chosen = listed([...new Set(pairs.flatMap(({ kin }) => kin.chosen))].sort());
      return [
        heading(3, `By ${cause}, all else equal${chosen ? ` but the ${chosen} that validation chose` : ""}`),
        ...list(pairs.map((pair) => sentence(pair, groups))),
      ];
    });
}

/** How many of some significant differences the correction for all pairs would not leave; nothing where it leaves all. */
export function lostTo(corrected: Comparison[]): string {
  const lost = corrected.filter(({ excludes_zero, p_holm }) => excludes_zero && p_holm >= 0.05).length;
  return lost ? ` Corrected for all pairs, ${lost} of them would not be.` : "";
}

/** How differences were tested, and what the test leaves out. */
function method(pairs: number, groups: Record<string, GroupSummary>, resamples: number): string {
  const single = Object.entries(groups).flatMap(([label, { ids }]) =>
    ids.length === 1 && !isRaw(label) ? label : [],
  );
  return [
    `Paired bootstrap over queries and seeds, ${resamples} draws: every group is scored on the same draw of queries and, where it has the same seeds, of seeds.`,
    "A difference is called significant where its 95 % interval excludes 0; p (normal, with the spread of the draws) is corrected for all pairs (Holm).",
    `${pairs === 1 ? "There is one pair." : `There are ${pairs} pairs.`} With few seeds a draw of seeds is coarse, and intervals come out somewhat narrow.`,
    ...(single.length
      ? [
          `Of ${listed(single)} there is one run each: in an interval with one of them, what another seed would change has no part.`,
        ]
      : []),
  ].join(" ");
}

/** The section of differences. */
export function comparisonBlocks(protocol: string, summary: ProtocolSummary, resamples: number): Block[] {
  const { groups, comparisons } = summary;
  if (comparisons.length === 0) return [];
  const maps = comparisons.filter(({ metric }) => metric === "map");
  const withRaw = comparisons.filter(({ first, second }) => isRaw(first) || isRaw(second));
  const best = Object.keys(groups)[0];
  const withBest = maps.filter(({ first, second }) => first === best && !isRaw(second));
  const equal = withBest.filter(({ excludes_zero }) => !excludes_zero);
  return [
    heading(2, `Which differences are significant (${protocol})`),
    text(method(maps.length, groups, resamples)),
    ...(withRaw.length
      ? [heading(3, "Against the raw features"), ...list(withRaw.map((pair) => sentence(pair)))]
      : []),
    heading(3, "Against the best"),
    text(
      withBest.length === 0
        ? `There is nothing but raw features to hold ${best} against.`
        : equal.length
          ? `${equal.length === 1 ? "One group is" : `${equal.length} groups are`} not significantly below ${best}:`
          : `Every other group is significantly below ${best} in mAP.${lostTo(withBest)}`,
    ),
    ...list(equal.map((pair) => sentence(pair, groups))),
    ...causeBlocks(maps, groups),
    heading(3, "All pairs"),
    pairTable(protocol, summary),
  ];
}
