/** The section of binary codes: mAP by length beside published numbers, ties, bits, and whether learning pays. */
import { methodOf } from "../../shared/runs/groups.ts";
import { publishedUnder } from "../../shared/runs/published.ts";
import { differing, paramOf } from "../../shared/runs/recipe.ts";
import { lengthless, partWords } from "../../shared/runs/words.ts";
import {
  type Block,
  type Cell,
  cell,
  details,
  figureCell,
  groupCell,
  heading,
  list,
  madeAnchor,
  markdownOnly,
  part,
  type Table,
  text,
} from "../document/document.ts";
import { listed } from "../numbers/kin.ts";
import type { BitMeans, GroupSummary, ProtocolSummary } from "../numbers/summary.ts";
import type { CodeLine } from "../page/data.ts";
import { DECIMALS, NONE } from "./cells.ts";
import { lostTo, sentence } from "./comparisons.ts";
import { gradedBlocks } from "./graded.ts";
import { lookupBlocks } from "./results.ts";

/** The training-free method that every learned code must be held against. */
const BASELINE = "itq";
/** The mark of a published number that nobody compared with its source. */
const UNCHECKED = "†";

const isCode = ({ distance }: GroupSummary): boolean => distance === "hamming";

/** "0.8021 ± 0.0034", the second number half the 95 % interval over seeds. */
function meanCell({ metrics: { map } }: GroupSummary, best: boolean): Cell {
  const half = map.seeds ? ` ± ${((map.seeds.high - map.seeds.low) / 2).toFixed(DECIMALS)}` : "";
  return { text: `${map.mean.toFixed(DECIMALS)}${half}`, sort: map.mean, strong: best };
}

/** A method of codes: one at several lengths. */
interface Method {
  /** In words. */
  name: string;
  /** Of its first code: gives the colour. */
  label: string;
  /** By bits. */
  codes: Map<number, GroupSummary>;
}

/** The methods of a protocol's codes, the best first. */
function methodsOf(codes: [string, GroupSummary][], names: Map<string, string>): Method[] {
  const methods = new Map<string, Method>();
  for (const [label, group] of codes) {
    const key = methodOf(label, group.point);
    const method = methods.get(key) ?? { name: lengthless(names.get(label)!), label, codes: new Map() };
    method.codes.set(group.dim, group);
    methods.set(key, method);
  }
  return [...methods.values()];
}

/** mAP of every method at every length. */
function lengthTable(protocol: string, codes: [string, GroupSummary][], names: Map<string, string>): Table {
  const lengths = [...new Set(codes.map(([, { dim }]) => dim))].sort((a, b) => a - b);
  const best = lengths.map((bits) =>
    Math.max(...codes.filter(([, { dim }]) => dim === bits).map(([, { metrics }]) => metrics.map.mean)),
  );
  return {
    kind: "table",
    caption: `mAP by length of the code, protocol ${protocol}: the expectation over all orders of ties, mean over seeds ± half its 95 % interval.`,
    columns: [{ title: "method" }, ...lengths.map((bits) => ({ title: `${bits} bits`, number: true }))],
    rows: methodsOf(codes, names).map(({ name, label, codes: own }) => {
      const marks = new Set([...own.values()].flatMap(({ collapsed }) => collapsed || []));
      return [
        { text: name, look: label, to: madeAnchor(label), mark: [...marks].join(", ") || undefined },
        ...lengths.map((bits, index) => {
          const group = own.get(bits);
          return group ? meanCell(group, group.metrics.map.mean === best[index]) : NONE;
        }),
      ];
    }),
  };
}

/** The published numbers of a protocol. */
function publishedTable(protocol: string): Table {
  const papers = publishedUnder(protocol);
  const lengths = [...new Set(papers.flatMap(({ map }) => Object.keys(map).map(Number)))].sort(
    (a, b) => a - b,
  );
  return {
    kind: "table",
    caption: `Published mAP, protocol ${protocol}; ${UNCHECKED}: not compared with its source. The methods train a whole network and, under P2, on the validation images too; here the backbone stays frozen. A published mAP depends on the order that its program gave to ties.`,
    columns: [
      { title: "method" },
      { title: "network" },
      { title: "source" },
      ...lengths.map((bits) => ({ title: `${bits} bits`, number: true })),
    ],
    rows: papers.map(({ method, backbone, source, map, checked }) => [
      cell(method),
      cell(backbone),
      cell(source),
      ...lengths.map((bits) => {
        const value = map[bits];
        if (value === undefined) return NONE;
        return { text: `${value.toFixed(3)}${checked.includes(bits) ? "" : ` ${UNCHECKED}`}`, sort: value };
      }),
    ]),
  };
}

/** mAP by length as lines: the methods measured here, then the published ones. */
export function codeLines(
  protocol: string,
  { groups }: ProtocolSummary,
  names: Map<string, string>,
): CodeLine[] {
  const codes = Object.entries(groups).filter(([, group]) => isCode(group));
  if (codes.length === 0) return [];
  const rounded = (value: number) => Number(value.toFixed(DECIMALS));
  const methods = methodsOf(codes, names).map(({ name, label, codes: own }): CodeLine => {
    const some = [...own.values()].sort((a, b) => a.dim - b.dim);
    const spread = (end: "low" | "high") =>
      some.map(({ metrics: { map } }) => rounded(map.seeds?.[end] ?? map.mean));
    return {
      protocol,
      method: name,
      label,
      learned: some.every(({ trained }) => trained),
      bits: some.map(({ dim }) => dim),
      map: some.map(({ metrics }) => rounded(metrics.map.mean)),
      low: spread("low"),
      high: spread("high"),
    };
  });
  const papers = publishedUnder(protocol).map(({ method, backbone, source, map }): CodeLine => {
    const bits = Object.keys(map).map(Number);
    const name = `${method}, ${backbone.split(",")[0]} (${source})`;
    return { protocol, method: name, bits, map: bits.map((one) => map[one]) };
  });
  return [...methods, ...papers];
}

/** How much the order of ties matters, and what the bits are like. */
function bitsTable(protocol: string, codes: [string, GroupSummary][], names: Map<string, string>): Table {
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
      groupCell(label, names),
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
function baselineBlocks(
  { groups, comparisons }: ProtocolSummary,
  codes: [string, GroupSummary][],
  names: Map<string, string>,
): Block[] {
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
  const alone = learned.flatMap(([label]) => (held.has(label) ? [] : names.get(label)!));
  return [
    text(
      `${beaten.length} of ${pairs.length} learned codes are significantly above ${partWords(BASELINE)} of the same length on the same features.${lostTo(beaten)}${alone.length ? ` Of the features and the length of ${listed(alone)} there is no ${partWords(BASELINE)}.` : ""}${not.length ? " These are not above it:" : ""}`,
    ),
    ...list(not.map((pair) => sentence(pair, names))),
  ];
}

/** One protocol's codes: the chart, the table, and what one looks up. */
function protocolBlocks(
  protocol: string,
  summary: ProtocolSummary,
  names: Map<string, string>,
  figures: (name: string) => Block[],
  significance: (protocol: string, summary: ProtocolSummary) => Block[],
): Block[] {
  const codes = Object.entries(summary.groups).filter(([, group]) => isCode(group));
  if (codes.length === 0) return [];
  const vectors = codes.length < Object.keys(summary.groups).length; // their section has the rest
  return [
    heading(3, `Protocol ${protocol}`),
    part("codes", figures(`lengths-${protocol}`), protocol),
    lengthTable(protocol, codes, names),
    ...gradedBlocks(protocol, codes, names),
    ...baselineBlocks(summary, codes, names),
    ...details(
      `Ties and bits${publishedUnder(protocol).length ? ", published numbers" : ""}, protocol ${protocol}`,
      part("radii", [], protocol),
      bitsTable(protocol, codes, names),
      ...(publishedUnder(protocol).length ? [publishedTable(protocol)] : []),
    ),
    ...(vectors
      ? []
      : [
          markdownOnly(...figures(`map-${protocol}`), ...figures(`knn-${protocol}`)),
          ...significance(protocol, summary),
          ...lookupBlocks(protocol, summary, names),
        ]),
  ];
}

/** The section of codes; nothing where there are none. */
export function codeBlocks(
  protocols: [string, ProtocolSummary][],
  names: Map<string, string>,
  figures: (name: string) => Block[] = () => [],
  significance: (protocol: string, summary: ProtocolSummary) => Block[] = () => [],
): Block[] {
  const blocks = protocols
    .filter(([, { groups }]) => Object.values(groups).some(isCode))
    .sort(([, a], [, b]) => Object.keys(b.groups).length - Object.keys(a.groups).length)
    .flatMap(([protocol, own]) => protocolBlocks(protocol, own, names, figures, significance));
  return blocks.length ? [heading(2, "Binary codes"), ...blocks] : [];
}
