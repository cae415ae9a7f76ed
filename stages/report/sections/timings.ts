/** What the clock says, apart from all else: no two runs give the same. */
import type { UpstreamRun } from "../../../runner/stage.ts";
import { type History, type Timings, timedHistories } from "../../shared/artifacts/history.ts";
import { groupRuns } from "../../shared/runs/groups.ts";
import { differing, paramOf } from "../../shared/runs/recipe.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import {
  type Cell,
  cell,
  type Document,
  figureCell,
  heading,
  list,
  part,
  text,
} from "../document/document.ts";
import type { Figures } from "../document/pictures.ts";
import { besides, type Measured, spreadOf } from "../numbers/alone.ts";
import { firstAt, levelsOf, NEAR_BEST } from "../numbers/training.ts";
import { dagBlocks } from "./dag.ts";

/** Seconds of one training. */
export interface Timed extends Measured {
  id: string;
  select_seconds: number;
  gradient_seconds: number;
  /** With the evaluations on validation images. */
  total_seconds: number;
  images_per_second: number;
  /** Seconds of steps until validation mAP first reached 95 % of its protocol's best; null: never. */
  seconds_to_near_best: number | null;
}

/** The timings of all trainings, by group. */
export function timedGroups(histories: History[], timings: Timings[]): Record<string, Timed[]> {
  const levels = levelsOf(histories);
  const runs = timedHistories(histories, timings).map(([history, timing]) => {
    const last = timing.step.length - 1;
    const steps = timing.select.map((seconds, at) => seconds + timing.gradient[at]);
    const near = firstAt(history.validationMap, levels.get(history.protocol)!);
    const timed: Timed = {
      id: timing.id,
      step_seconds: steps[last],
      select_seconds: timing.select[last],
      gradient_seconds: timing.gradient[last],
      total_seconds: timing.total[last],
      images_per_second: history.images[last] / steps[last],
      seconds_to_near_best: near === undefined ? null : steps[near],
      cores: timing.cores,
      others_busy: timing.others,
    };
    return { point: history.point, label: history.label, timed };
  });
  return Object.fromEntries(
    groupRuns(runs).map(({ label, members }) => [label, members.map(({ timed }) => timed)]),
  );
}

/** Groups of trainings that differ in their selector alone, margins as validation chose them: those that have company. */
export function bySelector(histories: History[]): string[][] {
  const families: History[][] = [];
  for (const { members } of groupRuns(histories)) {
    const [one] = members;
    if (!paramOf(one.recipe, "selector")) continue;
    const own = families.find(([first]) => {
      const causes = differing(first.recipe, one.recipe).filter(({ chosen }) => !chosen);
      return first.protocol === one.protocol && causes.length === 1 && causes[0].name === "selector";
    });
    if (own) own.push(one);
    else families.push([one]);
  }
  return families.filter((own) => own.length > 1).map((own) => own.map(({ label }) => label));
}

const NONE: Cell = { text: "–", sort: Number.NEGATIVE_INFINITY };

/** How far the mean of the seconds may be off. */
function secondsRange(runs: Timed[]): Cell {
  const { low, high } = meanInterval(runs.map(({ step_seconds }) => step_seconds));
  return low === undefined ? NONE : { text: `${low.toFixed(2)} to ${high!.toFixed(2)}`, sort: low };
}

/** What others did while the most disturbed of some runs was measured. */
const othersCell = (runs: Timed[]): Cell =>
  runs.some(({ others_busy }) => others_busy === undefined)
    ? { text: "not measured", sort: Number.POSITIVE_INFINITY }
    : figureCell(Math.max(...runs.map(({ others_busy }) => others_busy!)), 2);

/** The page of timings. @param families labels of groups that differ in their selector alone */
export function timingsDocument(
  groups: Record<string, Timed[]>,
  families: string[][],
  figures: Figures,
  upstream: UpstreamRun[],
): Document {
  const rows = Object.entries(groups);
  const runs = Object.values(groups).flat();
  const raced = families.map((labels) => labels.filter((label) => Object.hasOwn(groups, label)));
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
      ...(runs.length ? [text(besides(runs))] : []),
      ...(raced.some((labels) => labels.length > 1) ? [heading(2, "What a selector costs")] : []),
      ...list(
        raced
          .filter((labels) => labels.length > 1)
          .map((labels) => spreadOf(Object.fromEntries(labels.map((label) => [label, groups[label]])))),
      ),
      heading(2, "Quality against seconds"),
      part("race", figures.named("race")),
      ...figures.others(),
      {
        kind: "table",
        caption: `Seconds of a whole training, means over runs; "near the best" is ${Math.round(100 * NEAR_BEST)} % of the best validation mAP under the same protocol, "never" where a run did not reach it; "others" is how many cores other work kept busy meanwhile, at most.`,
        columns: [
          { title: "training" },
          { title: "runs", number: true },
          { title: "steps, s", number: true },
          { title: "95 % over runs", number: true },
          { title: "selecting, s", number: true },
          { title: "gradient, s", number: true },
          { title: "share selecting", number: true },
          { title: "with validation, s", number: true },
          { title: "images/s", number: true },
          { title: "s to near the best", number: true },
          { title: "others, cores", number: true },
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
            secondsRange(runs),
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
            othersCell(runs),
          ];
        }),
      },
      ...dagBlocks(upstream),
    ],
  };
}
