/** The significant differences, in sentences; comparisons.csv has every pair. */
import { byName, isRaw } from "../../shared/runs/groups.ts";
import { type Block, details, list, text } from "../document/document.ts";
import { type Kin, kinOf, listed } from "../numbers/kin.ts";
import type { Comparison, GroupSummary, ProtocolSummary } from "../numbers/summary.ts";
import { DECIMALS, nameOf } from "./cells.ts";

/** More sentences than this on one cause say less than comparisons.csv. */
const MOST_SENTENCES = 16;

const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(DECIMALS)}`;
const between = ({ low, high }: { low: number; high: number }) => `${signed(low)} to ${signed(high)}`;

/** The comparison the other way round. */
function turned(comparison: Comparison): Comparison {
  const { first, second, difference, low, high } = comparison;
  return { ...comparison, first: second, second: first, difference: -difference, low: -high, high: -low };
}

/** One comparison in words. @param groups tell which values their names leave out */
export function sentence(
  comparison: Comparison,
  names: Map<string, string>,
  groups: Record<string, GroupSummary> = {},
): string {
  const told = comparison.difference < 0 ? turned(comparison) : comparison;
  const [one, other] = [groups[told.first], groups[told.second]];
  const [first, second] = [told.first, told.second].map((label) => names.get(label) ?? label);
  const values = one && other ? kinOf(one, other)?.values : "";
  const name = nameOf(told.metric);
  const size = `${told.difference.toFixed(DECIMALS)} (95 %: ${between(told)})${values ? `; ${values}` : ""}`;
  if (!told.excludes_zero)
    return `No significant difference in ${name} between ${first} and ${second}: ${size}.`;
  const held = told.p_holm < 0.05 ? "" : " Corrected for all pairs it would not be significant.";
  return `${first} is above ${second} in ${name} by ${size}.${held}`;
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

/** The sentences of related pairs, folded by cause; a cause names every param that differs. */
function causeBlocks(
  maps: Comparison[],
  groups: Record<string, GroupSummary>,
  names: Map<string, string>,
): Block[] {
  const causes = byName(relatedAmong(maps, groups), ({ kin }) => listed(kin.causes));
  return [...causes]
    .filter(([, pairs]) => pairs.length <= MOST_SENTENCES)
    .flatMap(([cause, pairs]) => {
      const chosen = listed([...new Set(pairs.flatMap(({ kin }) => kin.chosen))].sort());
      return [
        text(`By ${cause}, all else equal${chosen ? ` but the ${chosen} that validation chose` : ""}:`),
        ...list(pairs.map((pair) => sentence(pair, names, groups))),
      ];
    });
}

/** How many of some significant differences the correction for all pairs would not leave; nothing where it leaves all. */
export function lostTo(corrected: Comparison[]): string {
  const lost = corrected.filter(({ excludes_zero, p_holm }) => excludes_zero && p_holm >= 0.05).length;
  return lost ? ` Corrected for all pairs, ${lost} of them would not be.` : "";
}

/** How differences were tested, and what the test leaves out. */
function method(
  pairs: number,
  groups: Record<string, GroupSummary>,
  names: Map<string, string>,
  resamples: number,
): string {
  const single = Object.entries(groups).flatMap(([label, { ids }]) =>
    ids.length === 1 && !isRaw(label) ? names.get(label)! : [],
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

/** The differences of a protocol, folded; none where there are no pairs. */
export function comparisonBlocks(
  protocol: string,
  summary: ProtocolSummary,
  names: Map<string, string>,
  resamples: number,
): Block[] {
  const { groups, comparisons } = summary;
  if (comparisons.length === 0) return [];
  const maps = comparisons.filter(({ metric }) => metric === "map");
  // An untrained code is no evidence on training.
  const trained = ({ first, second }: Comparison) => groups[first].trained || groups[second].trained;
  const withRaw = comparisons.filter(({ first, second }) => isRaw(first) || isRaw(second));
  const rawMaps = withRaw.filter((pair) => pair.metric === "map" && trained(pair));
  const above = rawMaps.filter(({ second, excludes_zero }) => excludes_zero && isRaw(second));
  const best = Object.keys(groups)[0];
  const withBest = maps.filter(({ first, second }) => first === best && !isRaw(second));
  const equal = withBest.filter(({ excludes_zero }) => !excludes_zero);
  return details(
    `Significant differences, protocol ${protocol}`,
    text(method(maps.length, groups, names, resamples)),
    ...(rawMaps.length > 1
      ? [
          text(
            `${above.length} of ${rawMaps.length} trained representations are significantly above the pretrained features in mAP.${lostTo(above)}`,
          ),
        ]
      : []),
    ...list(withRaw.map((pair) => sentence(pair, names))),
    text(
      withBest.length === 0
        ? `There is nothing but pretrained features to compare ${names.get(best)} with.`
        : equal.length
          ? `${equal.length === 1 ? "One group is" : `${equal.length} groups are`} not significantly below ${names.get(best)}:`
          : `Every other group is significantly below ${names.get(best)} in mAP.${lostTo(withBest)}`,
    ),
    ...list(equal.map((pair) => sentence(pair, names, groups))),
    ...causeBlocks(maps, groups, names),
    { kind: "links", links: [{ text: "comparisons.csv: every pair, both metrics", to: "comparisons.csv" }] },
  );
}
