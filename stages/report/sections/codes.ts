/** The section of binary codes: mAP by length beside what is published, ties, bits, and whether learning pays. */
import { methodOf } from "../../shared/runs/groups.ts";
import { publishedUnder } from "../../shared/runs/published.ts";
import { differing, paramOf } from "../../shared/runs/recipe.ts";
import {
  type Block,
  type Cell,
  cell,
  figureCell,
  heading,
  list,
  part,
  type Table,
  text,
} from "../document/document.ts";
import { listed } from "../numbers/kin.ts";
import type { BitMeans, GroupSummary, ProtocolSummary } from "../numbers/summary.ts";
import type { CodeLine } from "../page/data.ts";
import { lostTo, sentence } from "./comparisons.ts";
import { DECIMALS } from "./results.ts";

/** The training-free method that every learned code must be held against. */
const BASELINE = "itq";
/** What stands behind a published number that nobody compared with its source. */
const UNCHECKED = "†";
const NONE: Cell = { text: "–", sort: Number.NEGATIVE_INFINITY };

const isCode = ({ distance }: GroupSummary): boolean => distance === "hamming";

/** "0.8021 ± 0.0034", the second number half the 95 % interval over seeds. */
function meanCell({ metrics: { map } }: GroupSummary, best: boolean): Cell {
  const half = map.seeds ? ` ± ${((map.seeds.high - map.seeds.low) / 2).toFixed(DECIMALS)}` : "";
  return { text: `${map.mean.toFixed(DECIMALS)}${half}`, sort: map.mean, strong: best };
}

/** mAP of every method at every length, the published numbers below. */
function lengthTable(protocol: string, codes: [string, GroupSummary][]): Table {
  const papers = publishedUnder(protocol);
  const lengths = [
    ...new Set([
      ...codes.map(([, { dim }]) => dim),
      ...papers.flatMap(({ map }) => Object.keys(map).map(Number)),
    ]),
  ].sort((a, b) => a - b);
  const methods = [...new Set(codes.map(([label, { point }]) => methodOf(label, point)))];
  const of = (method: string, bits: number) =>
    codes.find(([label, { dim, point }]) => dim === bits && methodOf(label, point) === method)?.[1];
  const best = lengths.map((bits) =>
    Math.max(...codes.filter(([, { dim }]) => dim === bits).map(([, { metrics }]) => metrics.map.mean)),
  );
  return {
    kind: "table",
    caption: `mAP by length of the code in bits, protocol ${protocol}: the expectation over all orders of ties, mean over seeds ± half its 95 % interval.${papers.length ? ` Published numbers stand below; ${UNCHECKED}: not compared with its source.` : ""}`,
    columns: [
      { title: "method" },
      { title: "what it learns on" },
      ...lengths.map((bits) => ({ title: `${bits} bits`, number: true })),
    ],
    rows: [
      ...methods.map((method) => [
        cell(method),
        cell("frozen features"),
        ...lengths.map((bits, index) => {
          const group = of(method, bits);
          return group ? meanCell(group, group.metrics.map.mean === best[index]) : NONE;
        }),
      ]),
      ...papers.map(({ method, backbone, source, map, checked }) => [
        cell(`published: ${method} (${source})`),
        cell(backbone),
        ...lengths.map((bits) => {
          const value = map[bits];
          if (value === undefined) return NONE;
          return { text: `${value.toFixed(3)}${checked.includes(bits) ? "" : ` ${UNCHECKED}`}`, sort: value };
        }),
      ]),
    ],
  };
}

/** mAP by length as lines: the methods measured here, then the published ones. */
export function codeLines(protocol: string, { groups }: ProtocolSummary): CodeLine[] {
  const codes = Object.entries(groups).flatMap(([label, group]) =>
    isCode(group) ? [{ ...group, method: methodOf(label, group.point) }] : [],
  );
  if (codes.length === 0) return [];
  const methods = [...new Set(codes.map(({ method }) => method))].map((method): CodeLine => {
    const own = codes.filter((one) => one.method === method).sort((a, b) => a.dim - b.dim);
    const map = own.map(({ metrics }) => Number(metrics.map.mean.toFixed(DECIMALS)));
    return { protocol, method, published: false, bits: own.map(({ dim }) => dim), map };
  });
  const papers = publishedUnder(protocol);
  return [
    ...methods,
    ...papers.map(({ method, backbone, map }): CodeLine => {
      const bits = Object.keys(map).map(Number);
      const name = `${method}, ${backbone} (published)`;
      return { protocol, method: name, published: true, bits, map: bits.map((one) => map[one]) };
    }),
  ];
}

/** How much the order of ties matters, and what the bits are like. */
function bitsTable(protocol: string, codes: [string, GroupSummary][]): Table {
  const figure = ({ metrics }: GroupSummary, name: string): Cell =>
    metrics[name] ? figureCell(metrics[name].mean, DECIMALS) : NONE;
  const bit = ({ bits }: GroupSummary, name: keyof BitMeans, digits: number): Cell =>
    bits ? figureCell(bits[name], digits) : NONE;
  return {
    kind: "table",
    caption: `Ties and bits, protocol ${protocol}: mAP in the worst and in the best order of equal distances; precision within Hamming radius 2 (0 where nothing lies within it); distinct codes in the database; dead bits (the same for all); how far the share of ones is from a half, mean over bits; and the mean absolute correlation of two bits. Means over seeds.`,
    columns: [
      { title: "codes" },
      ...[
        "mAP",
        "worst order",
        "best order",
        "precision, radius 2",
        "bytes",
        "distinct codes",
        "dead bits",
        "imbalance",
        "correlation",
      ].map((title) => ({ title, number: true })),
    ],
    rows: codes.map(([label, group]) => [
      cell(label),
      figure(group, "map"),
      figure(group, "map_worst"),
      figure(group, "map_best"),
      figure(group, "precision_radius_2"),
      figureCell(Math.ceil(group.dim / 8), 0),
      bit(group, "distinct", 0),
      bit(group, "dead", 1),
      bit(group, "balance", 3),
      bit(group, "correlation", 3),
    ]),
  };
}

/** Every learned code against the baseline of its length, on the same features. */
function baselineBlocks({ groups, comparisons }: ProtocolSummary, codes: [string, GroupSummary][]): Block[] {
  const baselines = codes.filter(
    ([, { trained, recipe }]) => !trained && paramOf(recipe, "binariser") === BASELINE,
  );
  const learned = codes.filter(([, { trained }]) => trained);
  const onSame = (a: GroupSummary, b: GroupSummary) =>
    !differing(a.recipe, b.recipe).some(({ name }) => name === "features");
  const pairs = learned.flatMap(([label, group]) =>
    baselines
      .filter(([, baseline]) => baseline.dim === group.dim && onSame(baseline, group))
      .flatMap(([baseline]) =>
        comparisons.filter(
          ({ metric, first, second }) =>
            metric === "map" && [first, second].includes(label) && [first, second].includes(baseline),
        ),
      ),
  );
  if (pairs.length === 0) return [];
  const beaten = pairs.filter(({ first, excludes_zero }) => excludes_zero && groups[first].trained);
  const not = pairs.filter((pair) => !beaten.includes(pair));
  const held = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  const alone = learned.flatMap(([label]) => (held.has(label) ? [] : label));
  return [
    heading(3, `Against ${BASELINE}`),
    text(
      `${beaten.length} of ${pairs.length} learned codes are significantly above ${BASELINE} of the same length on the same features.${lostTo(beaten)}${alone.length ? ` Of the features and the length of ${listed(alone)} there is no ${BASELINE}.` : ""}${not.length ? " These are not above it:" : ""}`,
    ),
    ...list(not.map((pair) => sentence(pair))),
  ];
}

/** The section of one protocol's codes; nothing where there are none. */
export function codeBlocks(
  protocol: string,
  summary: ProtocolSummary,
  figures: (name: string) => Block[] = () => [],
): Block[] {
  const codes = Object.entries(summary.groups).filter(([, group]) => isCode(group));
  if (codes.length === 0) return [];
  return [
    heading(2, `Codes under protocol ${protocol}`),
    lengthTable(protocol, codes),
    ...(publishedUnder(protocol).length
      ? [
          text(
            "The published methods train a whole network and, under P2, on the validation images too; here the backbone stays as ImageNet made it and only a head learns. A published mAP rests on whatever order its program gave to ties.",
          ),
        ]
      : []),
    part("codes", figures(`lengths-${protocol}`), protocol),
    bitsTable(protocol, codes),
    ...baselineBlocks(summary, codes),
  ];
}
