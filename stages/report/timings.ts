/** What the clock says, apart from all else: no two runs give the same. */
import type { UpstreamRun } from "../../runner/stage.ts";
import { groupRuns, samePoint } from "../shared/groups.ts";
import type { History, Timings } from "../shared/histories.ts";
import { dagBlocks } from "./dag.ts";
import { type Cell, cell, type Document, figureCell, heading, part } from "./document.ts";
import type { Figures } from "./pictures.ts";
import { bestOf, firstAt, NEAR_BEST } from "./training.ts";

/** Seconds of one training. */
export interface Timed {
  id: string;
  /** In the steps: selecting and gradient. */
  step_seconds: number;
  select_seconds: number;
  gradient_seconds: number;
  /** With the evaluations on validation images. */
  total_seconds: number;
  images_per_second: number;
  /** Seconds of steps until validation mAP first reached 95 % of the study's best; null: never. */
  seconds_to_near_best: number | null;
}

/** The timings of all trainings, by group. */
export function timedGroups(histories: History[], timings: Timings[]): Record<string, Timed[]> {
  const level = NEAR_BEST * bestOf(histories);
  const runs = timings.flatMap((timing) => {
    const last = timing.step.length - 1;
    const history = histories.find(({ point }) => samePoint(timing.point, point));
    if (last < 0 || !history) return [];
    const steps = timing.select.map((seconds, at) => seconds + timing.gradient[at]);
    const near = firstAt(history.validationMap, level);
    const timed: Timed = {
      id: timing.id,
      step_seconds: steps[last],
      select_seconds: timing.select[last],
      gradient_seconds: timing.gradient[last],
      total_seconds: timing.total[last],
      images_per_second: history.images[last] / steps[last],
      seconds_to_near_best: near === undefined ? null : steps[near],
    };
    return [{ point: timing.point, label: timing.label, timed }];
  });
  return Object.fromEntries(
    groupRuns(runs).map(({ label, members }) => [label, members.map(({ timed }) => timed)]),
  );
}

/** The page of timings. */
export function timingsDocument(
  groups: Record<string, Timed[]>,
  figures: Figures,
  upstream: UpstreamRun[],
): Document {
  const rows = Object.entries(groups);
  const mean = (runs: Timed[], of: (run: Timed) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const toNear = (runs: Timed[]): Cell =>
    runs.some((run) => run.seconds_to_near_best === null)
      ? { text: "never", sort: Number.POSITIVE_INFINITY }
      : figureCell(
          mean(runs, (run) => run.seconds_to_near_best!),
          2,
        );
  return {
    title: "What the clock says",
    lead: "Seconds of training on the machine that ran it. They differ from run to run and from machine to machine, so they stand apart from the report and no check compares them.",
    blocks: [
      heading(2, "Quality against seconds"),
      part("race", figures.named("race")),
      ...figures.others(),
      {
        kind: "table",
        caption: `Seconds of a whole training, mean over seeds; "near the best" is ${Math.round(100 * NEAR_BEST)} % of the study's best validation mAP, "never" where a seed did not reach it. Trainings that ran side by side share the machine.`,
        columns: [
          { title: "training" },
          { title: "seeds", number: true },
          { title: "steps, s", number: true },
          { title: "selecting, s", number: true },
          { title: "gradient, s", number: true },
          { title: "share selecting", number: true },
          { title: "with validation, s", number: true },
          { title: "images/s", number: true },
          { title: "s to near the best", number: true },
        ],
        rows: rows.map(([label, runs]) => {
          const [steps, selecting] = [
            mean(runs, (run) => run.step_seconds),
            mean(runs, (run) => run.select_seconds),
          ];
          return [
            cell(label),
            figureCell(runs.length, 0),
            figureCell(steps, 2),
            figureCell(selecting, 2),
            figureCell(
              mean(runs, (run) => run.gradient_seconds),
              2,
            ),
            { text: `${((100 * selecting) / steps).toFixed(1)} %`, sort: selecting / steps },
            figureCell(
              mean(runs, (run) => run.total_seconds),
              2,
            ),
            figureCell(
              mean(runs, (run) => run.images_per_second),
              0,
            ),
            toNear(runs),
          ];
        }),
      },
      ...dagBlocks(upstream),
    ],
  };
}
