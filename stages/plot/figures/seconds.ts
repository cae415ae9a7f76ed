/** The measured time of training: quality against seconds, and where the seconds went. */
import { type History, type Timings, timedHistories } from "../../shared/artifacts/history.ts";
import { BRIGHT } from "../../shared/runs/colours.ts";
import { groupRuns } from "../../shared/runs/groups.ts";
import type { Appearances } from "../../shared/runs/looks.ts";
import type { Figure, Spec } from "../figure.ts";
import { drawn } from "../lines.ts";
import { type Priced, qualityFigure } from "../quality.ts";
import { TEXT } from "../theme.ts";

const PARTS = ["selecting", "gradient", "validation and the rest"];
/** Length of the axis as a share of the longest bar: the text behind it needs the rest. */
const ROOM = 1.7;

/** Seconds in the steps themselves: evaluating on the validation images is no part of training. */
const stepSeconds = ({ select, gradient }: Timings) => select.map((seconds, at) => seconds + gradient[at]);

/** Validation mAP against seconds. */
function race(histories: History[], timings: Timings[], groups: Appearances): Figure[] {
  const timed = timedHistories(histories, timings).map(
    ([history, found]): Priced => ({ ...drawn(history), cost: stepSeconds(found) }),
  );
  if (timed.length === 0) return [];
  const words = {
    name: "race",
    title: "Validation mAP against seconds of training",
    caption:
      "mAP of the validation images against the seconds of training so far (selecting and gradient, without the evaluations). Means over seeds, bands are 95 % intervals.",
    alt: `Curves of ${timed.length} trainings against seconds; the table below has their ends.`,
  };
  return [qualityFigure(timed, groups, words, { title: "seconds of training", scale: { zero: true } })];
}

/** The seconds of a group, mean over seeds. */
interface Shares {
  label: string;
  total: number;
  /** Of {@link PARTS}. */
  parts: number[];
}

/** The groups with their seconds, the longest first. */
function sharesOf(histories: History[], timings: Timings[], groups: Appearances): Shares[] {
  const timed = timedHistories(histories, timings).map(([{ point, label }, seconds]) => ({
    point,
    label,
    seconds,
  }));
  const shares = groupRuns(timed).map(({ label, members }): Shares => {
    const mean = (of: (one: Timings) => Float64Array) =>
      members.reduce((sum, { seconds }) => sum + of(seconds)[of(seconds).length - 1], 0) / members.length;
    const [total, selecting, gradient] = [
      mean((one) => one.total),
      mean((one) => one.select),
      mean((one) => one.gradient),
    ];
    const parts = [selecting, gradient, Math.max(0, total - selecting - gradient)];
    return { label: groups[label].name, total, parts };
  });
  return shares.sort((a, b) => b.total - a.total);
}

/** The bars, and the text behind each. */
function layers(shares: Shares[]): Spec[] {
  const y = {
    field: "label",
    type: "nominal",
    sort: shares.map(({ label }) => label),
    title: null,
    axis: { labelPadding: 8, ticks: false },
  };
  const bars = shares.flatMap(({ label, parts }) =>
    parts.map((seconds, part) => ({ label, part: PARTS[part], order: part, seconds })),
  );
  const texts = shares.map(({ label, total, parts: [selecting, gradient] }) => ({
    label,
    total,
    text: `${total.toFixed(1)} s, ${((100 * selecting) / (selecting + gradient || 1)).toFixed(0)} % of the steps selecting`,
  }));
  return [
    {
      data: { values: bars },
      mark: { type: "bar", height: 16 },
      encoding: {
        y,
        x: {
          field: "seconds",
          type: "quantitative",
          stack: true,
          title: "seconds",
          axis: { tickCount: 8 },
          scale: { domain: [0, shares[0].total * ROOM], nice: false },
        },
        order: { field: "order" },
        color: {
          field: "part",
          type: "nominal",
          title: null,
          scale: { domain: PARTS, range: [BRIGHT[1], BRIGHT[0], "#bbbbbb"] },
          legend: { orient: "bottom" },
        },
      },
    },
    {
      data: { values: texts },
      mark: { type: "text", align: "left", dx: 6, fontSize: TEXT, color: "#222222" },
      encoding: { y, x: { field: "total", type: "quantitative" }, text: { field: "text" } },
    },
  ];
}

/** Where the seconds of a whole training went, mean over seeds. */
function shares(histories: History[], timings: Timings[], groups: Appearances): Figure[] {
  const found = sharesOf(histories, timings, groups);
  if (found.length === 0) return [];
  return [
    {
      name: "seconds",
      title: "Where the seconds of training went",
      caption:
        "Seconds of a whole training, mean over seeds: selecting triplets and scoring them, the gradient and its step, and the rest, which is the evaluation on validation images. The percentage is the share of selecting among the seconds of the steps.",
      alt: found.map(({ label, total }) => `${label} ${total.toFixed(1)} s`).join(", "),
      spec: {
        title: {
          text: "Where the seconds of training went",
          subtitle: "Mean over seeds, in seconds of a whole training",
        },
        width: 560,
        height: { step: 30 },
        layer: layers(found),
      },
    },
  ];
}

/** Every figure that shows seconds. None without timings. */
export function seconds(histories: History[], timings: Timings[], groups: Appearances): Figure[] {
  return [...race(histories, timings, groups), ...shares(histories, timings, groups)];
}
