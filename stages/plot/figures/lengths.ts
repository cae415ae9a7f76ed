/** mAP against the length of the code: a line a method, the published numbers as reference marks. */
import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { shareExtent } from "../../shared/charts/extent.ts";
import { byName, groupRuns, methodOf } from "../../shared/runs/groups.ts";
import { type Appearances, distinctLooks } from "../../shared/runs/looks.ts";
import { bestMethods } from "../../shared/runs/panels.ts";
import { publishedUnder } from "../../shared/runs/published.ts";
import { lengthless } from "../../shared/runs/words.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import type { Figure, Spec } from "../figure.ts";
import { type Line, lineEncoding, strokeOf } from "../lines.ts";
import { RAW_COLOUR, TEXT } from "../theme.ts";

/** Width of the chart, and height of the parts above and below the break of its axis, in pixels. */
const WIDTH = 640;
const LARGE = 360;
const SMALL = 120;
const SHAPES = ["diamond", "square", "triangle-up", "cross", "circle", "triangle-down", "triangle-right"];

/** A method, or a paper, at one length. */
interface Dot {
  line: string;
  bits: number;
  map: number;
  low: number;
  high: number;
}

/** A method with its codes by length. */
interface Method extends Line<Evaluation> {
  /** Of its first group. */
  label: string;
  dots: Dot[];
  /** Whether labels were used to make it. */
  learned: boolean;
}

/** The methods of which there is more than one length, the best first, and no more than one can tell apart. */
function methodsOf(codes: Evaluation[], groups: Appearances): { shown: Method[]; note: string } {
  const byMethod = byName(groupRuns(codes), ({ label, point }) => methodOf(label, point));
  const methods = [...byMethod.values()]
    .filter((own) => own.length > 1)
    .map((own): Method => {
      const look = groups[own[0].label];
      const name = lengthless(look.name);
      const dots = own.map(({ members }): Dot => {
        const values = members.map(({ metrics }) => metrics.map.value);
        const { mean, low = mean, high = mean } = meanInterval(values);
        return {
          line: name,
          bits: members[0].dim,
          map: mean,
          low: Math.max(0, low),
          high: Math.min(1, high),
        };
      });
      const members = own.flatMap((group) => group.members);
      const learned = members.every(({ trained }) => trained);
      return { ...strokeOf(look), label: own[0].label, name, members, dots, learned };
    });
  const best = ({ dots }: Method) => Math.max(...dots.map(({ map }) => map));
  methods.sort((a, b) => best(b) - best(a));
  const { shown, note } = bestMethods(methods);
  const looks = distinctLooks(
    shown.map(({ label }) => label),
    groups,
  );
  return { shown: shown.map((one) => ({ ...one, ...strokeOf(looks.get(one.label)!) })), note };
}

/** The published numbers of a protocol. */
const papersOf = (protocol: string): Dot[] =>
  publishedUnder(protocol).flatMap(({ method, backbone, map }) =>
    Object.entries(map).map(([bits, value]) => {
      const line = `${method} (${backbone.split(",")[0]})`;
      return { line, bits: Number(bits), map: value, low: value, high: value };
    }),
  );

/** A part of the chart: the axis is broken between the codes that learned from labels and those that did not. */
interface Part {
  methods: Method[];
  papers: Dot[];
  height: number;
}

function partsOf(methods: Method[], papers: Dot[]): Part[] {
  const learned = methods.filter((one) => one.learned);
  const others = methods.filter((one) => !one.learned);
  if (learned.length === 0 || others.length === 0) return [{ methods, papers, height: LARGE }];
  const valuesOf = (some: Method[]) => some.flatMap(({ dots }) => dots.map(({ map }) => map));
  const middle = (Math.min(...valuesOf(learned)) + Math.max(...valuesOf(others))) / 2;
  return [
    { methods: learned, papers: papers.filter(({ map }) => map > middle), height: LARGE },
    { methods: others, papers: papers.filter(({ map }) => map <= middle), height: SMALL },
  ];
}

const endsOf = ({ low, high }: Dot) => [low, high];

const quantitative = (field: string, more: Spec = {}): Spec => ({ field, type: "quantitative", ...more });

/** One part. Each has the colours and the marks of the whole, so that the one legend holds for both. */
function partSpec(
  { methods, papers, height }: Part,
  all: Method[],
  names: string[],
  lengths: number[],
  last: boolean,
): Spec {
  const x = quantitative("bits", {
    title: last ? "bits of a code (logarithmic)" : null,
    scale: { type: "log", base: 2, nice: false, domain: [lengths[0], lengths.at(-1)], padding: 12 },
    axis: { values: lengths, format: "d" },
  });
  const y = quantitative("map", {
    title: "mAP",
    scale: {
      domain: shareExtent([...methods.flatMap(({ dots }) => dots), ...papers].flatMap(endsOf)),
      nice: false,
    },
    axis: { tickCount: last ? 4 : 7 },
  });
  const line = lineEncoding(all, last ? WIDTH : undefined);
  const shape = {
    field: "paper",
    type: "nominal",
    title: "published",
    scale: { domain: names, range: names.map((_, at) => SHAPES[at % SHAPES.length]) },
    legend: last
      ? {
          orient: "bottom",
          direction: "vertical",
          columns: 3,
          symbolStrokeColor: RAW_COLOUR,
          symbolFillColor: "transparent",
          symbolSize: 80,
        }
      : null,
  };
  const measured = { values: methods.flatMap(({ dots }) => dots) };
  return {
    width: WIDTH,
    height,
    layer: [
      {
        data: measured,
        mark: { type: "line", strokeWidth: 2.2 },
        encoding: { x, y, ...line },
      },
      {
        data: measured,
        mark: { type: "circle", size: 45, opacity: 1 },
        encoding: { x, y, color: line.color },
      },
      {
        data: measured,
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: { x, y: quantitative("low"), y2: { field: "high" }, color: line.color },
      },
      ...(names.length
        ? [
            {
              data: { values: papers.map(({ line: paper, ...dot }) => ({ ...dot, paper })) },
              mark: { type: "point", size: 80, strokeWidth: 1.5, color: RAW_COLOUR, filled: false },
              encoding: { x, y, shape },
            },
          ]
        : []),
    ],
  };
}

/** One figure a protocol that has codes of several lengths. */
export function lengths(evaluations: Evaluation[], groups: Appearances): Figure[] {
  const codes = evaluations.filter(({ representation }) => representation === "code");
  return [...byName(codes, ({ protocol }) => protocol)].flatMap(([protocol, own]): Figure[] => {
    const { shown, note } = methodsOf(own, groups);
    if (shown.length === 0) return [];
    const papers = papersOf(protocol);
    const names = [...new Set(papers.map(({ line }) => line))];
    const bits = [...shown.flatMap(({ dots }) => dots), ...papers].map((dot) => dot.bits);
    const ticks = [...new Set(bits)].sort((a, b) => a - b);
    const parts = partsOf(shown, papers);
    const notes = [
      names.length ? "grey marks: as published, of whole networks that were trained" : "",
      note,
      parts.length > 1 ? "the axis of mAP is broken: codes made without labels are below" : "",
    ].filter(Boolean);
    return [
      {
        name: `lengths-${protocol}`,
        title: `mAP by length of the code (${protocol})`,
        caption: `mAP against the length of the code, protocol ${protocol}: ${["lines: measured here, mean over seeds, bars its 95 % interval", ...notes].join("; ")}. Methods of one length are left out.`,
        alt: shown
          .flatMap(({ dots }) => dots)
          .map(({ line, bits: length, map }) => `${line} at ${length} bits ${map.toFixed(3)}`)
          .join(", "),
        spec: {
          title: {
            text: `mAP by length of the code, protocol ${protocol}`,
            subtitle: ["Lines: measured here, bars are 95 % intervals over seeds", ...notes],
            subtitleLineHeight: TEXT + 4,
          },
          config: { legend: { layout: { bottom: { direction: "vertical", anchor: "start", margin: 12 } } } },
          vconcat: parts.map((part, at) => partSpec(part, shown, names, ticks, at === parts.length - 1)),
          bounds: "flush",
          spacing: 36,
          resolve: { scale: { color: "independent", strokeDash: "independent", shape: "independent" } },
        },
      },
    ];
  });
}
