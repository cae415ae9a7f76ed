/** Which differences are significant, in sentences and in a table. */

import type { Point } from "../../runner/stage.ts";
import { isRaw } from "../shared/groups.ts";
import { type Block, cell, heading, list, type Table, text } from "./document.ts";
import { DECIMALS, nameOf } from "./results.ts";
import type { Comparison, ProtocolSummary } from "./summary.ts";

/** More pairs than this: only those that differ in one axis stand in the table. */
const MOST_PAIRS = 150;
/** More sentences than this on one axis say less than the table. */
const MOST_SENTENCES = 16;

const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(DECIMALS)}`;
const between = ({ low, high }: { low: number; high: number }) => `${signed(low)} to ${signed(high)}`;

/** The comparison the other way round. */
function turned(comparison: Comparison): Comparison {
  const { first, second, difference, low, high } = comparison;
  return { ...comparison, first: second, second: first, difference: -difference, low: -high, high: -low };
}

/** One comparison in words. */
export function sentence(comparison: Comparison): string {
  const told = comparison.difference < 0 ? turned(comparison) : comparison;
  const name = nameOf(told.metric);
  const size = `${told.difference.toFixed(DECIMALS)} (95 %: ${between(told)})`;
  if (!told.excludes_zero)
    return `No significant difference in ${name} between ${told.first} and ${told.second}: ${size}.`;
  const held = told.p_holm < 0.05 ? "" : " Corrected for all pairs it would not be significant.";
  return `${told.first} is above ${told.second} in ${name} by ${size}.${held}`;
}

/** The one axis in which two groups differ; undefined: none, or several. */
export function onlyAxis(a: Point, b: Point): string | undefined {
  const axes = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((axis) => a[axis] !== b[axis]);
  return axes.length === 1 ? axes[0] : undefined;
}

/** Both metrics of every pair, a row a pair. */
function pairTable(protocol: string, { groups, comparisons }: ProtocolSummary): Table {
  const maps = comparisons.filter(({ metric }) => metric === "map");
  const shown =
    maps.length <= MOST_PAIRS
      ? maps
      : maps.filter(
          ({ first, second }) =>
            isRaw(first) || isRaw(second) || onlyAxis(groups[first].point, groups[second].point),
        );
  const left = maps.length - shown.length;
  const half = (comparison: Comparison) => [
    { text: signed(comparison.difference), sort: comparison.difference },
    { text: between(comparison), sort: comparison.low },
    { ...cell(comparison.excludes_zero ? "yes" : "no"), sort: comparison.excludes_zero ? 1 : 0 },
    { text: comparison.p_holm < 0.001 ? "< 0.001" : comparison.p_holm.toFixed(3), sort: comparison.p_holm },
  ];
  return {
    kind: "table",
    caption: `Differences, first less second, protocol ${protocol}.${left ? ` The other ${left} pairs differ in several axes; they stand in comparisons.csv.` : ""}`,
    columns: [
      { title: "first" },
      { title: "second" },
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
      return [cell(comparison.first), cell(comparison.second), ...half(comparison), ...half(accuracy)];
    }),
  };
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
  const axes = new Map<string, Comparison[]>();
  for (const pair of maps) {
    if (isRaw(pair.first) || isRaw(pair.second)) continue;
    const axis = onlyAxis(groups[pair.first].point, groups[pair.second].point);
    if (axis) axes.set(axis, [...(axes.get(axis) ?? []), pair]);
  }
  return [
    heading(2, `Which differences are significant (${protocol})`),
    text(
      `Paired bootstrap over queries and seeds, ${resamples} draws: every group is scored on the same draw of queries and, where it has the same seeds, of seeds. A difference is called significant where its 95 % interval excludes 0; p (normal, with the spread of the draws) is corrected for all ${maps.length} pairs (Holm). With few seeds a draw of seeds is coarse, and intervals come out somewhat narrow.`,
    ),
    ...(withRaw.length ? [heading(3, "Against the raw features"), ...list(withRaw.map(sentence))] : []),
    heading(3, "Against the best"),
    text(
      withBest.length === 0
        ? `There is nothing but raw features to hold ${best} against.`
        : equal.length
          ? `${equal.length === 1 ? "One group is" : `${equal.length} groups are`} not significantly below ${best}:`
          : `Every other group is significantly below ${best} in mAP.`,
    ),
    ...list(equal.map(sentence)),
    ...[...axes]
      .filter(([, pairs]) => pairs.length <= MOST_SENTENCES)
      .flatMap(([axis, pairs]) => [heading(3, `By ${axis}, all else equal`), ...list(pairs.map(sentence))]),
    heading(3, "All pairs"),
    pairTable(protocol, summary),
  ];
}
