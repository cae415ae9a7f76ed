/** The measured time of training: quality against seconds, and where the seconds went. */

import { type History, type Timings, timedHistories } from "../../shared/artifacts/history.ts";
import { BRIGHT } from "../../shared/runs/colours.ts";
import { groupRuns } from "../../shared/runs/groups.ts";
import type { Figure } from "../figure.ts";
import { type Priced, qualityFigure } from "../quality.ts";

const PARTS = ["selecting", "gradient", "validation and the rest"];

/** Seconds in the steps themselves: evaluating on the validation images is no part of training. */
const stepSeconds = ({ select, gradient }: Timings) => select.map((seconds, at) => seconds + gradient[at]);

/** Validation mAP against seconds. */
function race(histories: History[], timings: Timings[]): Figure[] {
  const timed = timedHistories(histories, timings).map(
    ([{ point, label, protocol, validationMap: map }, found]): Priced => ({
      point,
      label,
      protocol,
      map,
      cost: stepSeconds(found),
    }),
  );
  if (timed.length === 0) return [];
  const words = {
    name: "race",
    title: "Validation mAP against seconds of training",
    caption:
      "mAP of the validation images against the seconds of training so far (selecting and gradient, without the evaluations). Means over seeds, bands are 95 % intervals.",
    alt: `Curves of ${timed.length} trainings against seconds; the table below has their ends.`,
  };
  return [qualityFigure(timed, words, { title: "seconds of training", scale: { zero: true } })];
}

/** Where the seconds of a whole training went, mean over seeds. */
function shares(histories: History[], timings: Timings[]): Figure[] {
  const timed = timedHistories(histories, timings).map(([{ point, label }, seconds]) => ({
    point,
    label,
    seconds,
  }));
  const groups = groupRuns(timed).map(({ label, members }) => {
    const mean = (of: (one: Timings) => Float64Array) =>
      members.reduce((sum, { seconds }) => sum + of(seconds)[of(seconds).length - 1], 0) / members.length;
    const [total, selecting, gradient] = [
      mean((one) => one.total),
      mean((one) => one.select),
      mean((one) => one.gradient),
    ];
    return { label, total, parts: [selecting, gradient, Math.max(0, total - selecting - gradient)] };
  });
  if (groups.length === 0) return [];
  groups.sort((a, b) => b.total - a.total);
  const longest = Math.max(...groups.map(({ total }) => total));
  const y = {
    field: "label",
    type: "nominal",
    sort: groups.map(({ label }) => label),
    title: null,
    axis: { labelPadding: 8, ticks: false },
  };
  return [
    {
      name: "seconds",
      title: "Where the seconds of training went",
      caption:
        "Seconds of a whole training, mean over seeds: selecting triplets and scoring them, the gradient and its step, and the rest, which is the evaluation on validation images. The share stands for selecting among the seconds of the steps.",
      alt: groups.map(({ label, total }) => `${label} ${total.toFixed(1)} s`).join(", "),
      spec: {
        title: {
          text: "Where the seconds of training went",
          subtitle: "Mean over seeds, in seconds of a whole training",
        },
        width: 620,
        height: { step: 30 },
        layer: [
          {
            data: {
              values: groups.flatMap(({ label, parts }) =>
                parts.map((seconds, part) => ({ label, part: PARTS[part], order: part, seconds })),
              ),
            },
            mark: { type: "bar", height: 16 },
            encoding: {
              y,
              x: {
                field: "seconds",
                type: "quantitative",
                stack: true,
                title: "seconds",
                axis: { tickCount: 8 },
                scale: { domain: [0, longest * 1.55], nice: false },
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
            data: {
              values: groups.map(({ label, total, parts }) => ({
                label,
                total,
                text: `${total.toFixed(1)} s, ${((100 * parts[0]) / (parts[0] + parts[1] || 1)).toFixed(0)} % of the steps selecting`,
              })),
            },
            mark: { type: "text", align: "left", dx: 6, fontSize: 12, color: "#222222" },
            encoding: { y, x: { field: "total", type: "quantitative" }, text: { field: "text" } },
          },
        ],
      },
    },
  ];
}

/** Every figure that shows seconds. None without timings. */
export function seconds(histories: History[], timings: Timings[]): Figure[] {
  return [...race(histories, timings), ...shares(histories, timings)];
}
