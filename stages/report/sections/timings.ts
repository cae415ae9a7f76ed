/** Measured time, apart from the report: no two runs give the same. */
import type { UpstreamRun } from "../../../runner/stage.ts";
import { type History, type Timings, timedHistories } from "../../shared/artifacts/history.ts";
import { groupRuns } from "../../shared/runs/groups.ts";
import { differing, paramOf } from "../../shared/runs/recipe.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import {
  type Cell,
  type Document,
  details,
  figureCell,
  heading,
  list,
  markdownOnly,
  part,
  type Table,
  text,
} from "../document/document.ts";
import type { Figures } from "../document/pictures.ts";
import { alone, besides, type Measured, machinesOf, spreadOf } from "../numbers/alone.ts";
import { firstAt, levelsOf, NEAR_BEST } from "../numbers/training.ts";
import { NONE } from "./cells.ts";
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

/** How far the mean of the seconds may be off. */
function secondsRange(runs: Timed[]): Cell {
  const { low, high } = meanInterval(runs.map(({ step_seconds }) => step_seconds));
  return low === undefined ? NONE : { text: `${low.toFixed(2)} to ${high!.toFixed(2)}`, sort: low };
}

/** The other work during the most disturbed of some runs. */
const othersCell = (runs: Timed[]): Cell =>
  runs.some(({ others_busy }) => others_busy === undefined)
    ? { text: "not measured", sort: Number.POSITIVE_INFINITY }
    : figureCell(Math.max(...runs.map(({ others_busy }) => others_busy!)), 2);

const mean = (runs: Timed[], of: (run: Timed) => number) =>
  runs.reduce((sum, run) => sum + of(run), 0) / runs.length;

/** Seconds until all of some runs came near the best; "never" where one did not. */
const toNear = (runs: Timed[]): Cell =>
  runs.some((run) => run.seconds_to_near_best === null)
    ? { text: "never", sort: Number.POSITIVE_INFINITY }
    : figureCell(
        mean(runs, (run) => run.seconds_to_near_best!),
        2,
      );

/** The families whose groups were timed, two groups or more each. */
const racedOf = (groups: Record<string, Timed[]>, families: string[][]): string[][] =>
  families
    .map((labels) => labels.filter((label) => Object.hasOwn(groups, label)))
    .filter((labels) => labels.length > 1);

/** The spread of each family's seconds, in a sentence each. */
const spreads = (
  groups: Record<string, Timed[]>,
  families: string[][],
  names: Map<string, string>,
): string[] =>
  racedOf(groups, families).map((labels) =>
    spreadOf(Object.fromEntries(labels.map((label) => [names.get(label) ?? label, groups[label]]))),
  );

/** The times of the selectors of the largest family; "" where no two were timed. */
export function miningSeconds(
  groups: Record<string, Timed[]>,
  families: string[][],
  names: Map<string, string>,
): string {
  const largest = racedOf(groups, families).sort((a, b) => b.length - a.length)[0];
  if (!largest) return "";
  const rows = largest
    .map((label) => ({
      name: names.get(label) ?? label,
      ...meanInterval(groups[label].map((run) => run.step_seconds)),
    }))
    .sort((a, b) => a.mean - b.mean);
  const told = ({ name, mean, low, high }: (typeof rows)[number]) =>
    `${mean.toFixed(1)} s with ${name}${low === undefined ? "" : ` (95 %: ${Math.max(0, low).toFixed(1)} to ${high!.toFixed(1)})`}`;
  const runs = largest.flatMap((label) => groups[label]);
  const why = machinesOf(runs).length > 1 ? "Measured on machines of several kinds" : "Not measured alone";
  return `In seconds: ${told(rows[0])} to ${told(rows.at(-1)!)}. ${alone(runs) ? "" : `${why}: these seconds give no ranking. `}`;
}

const share = (part: number, whole: number): Cell => ({
  text: `${((100 * part) / whole).toFixed(1)} %`,
  sort: part / whole,
});

/** Every group's seconds in the columns that matter. */
function secondsTable(groups: Record<string, Timed[]>, names: Map<string, string>): Table {
  return {
    kind: "table",
    caption: `Seconds of the steps of a whole training, means over runs, with the 95 % interval over runs; near the best: ${Math.round(100 * NEAR_BEST)} % of the best validation mAP under the same protocol, "never" where a run did not reach it.`,
    columns: [
      { title: "training" },
      { title: "steps, s", number: true },
      { title: "95 % over runs", number: true, minor: true },
      { title: "s to near the best", number: true },
      { title: "share selecting", number: true, minor: true },
    ],
    rows: Object.entries(groups).map(([label, runs]) => {
      const steps = mean(runs, (run) => run.step_seconds);
      return [
        { text: names.get(label) ?? label, look: label },
        figureCell(steps, 2),
        secondsRange(runs),
        toNear(runs),
        share(
          mean(runs, (run) => run.select_seconds),
          steps,
        ),
      ];
    }),
  };
}

/** Where the seconds went, and what the machine did beside. */
function detailTable(groups: Record<string, Timed[]>, names: Map<string, string>): Table {
  const number = (title: string) => ({ title, number: true });
  return {
    kind: "table",
    caption:
      'The parts of the seconds, means over runs. "Others" is the number of cores that other processes kept busy meanwhile, at most.',
    columns: [
      { title: "training" },
      ...["runs", "selecting, s", "gradient, s", "with validation, s", "images/s", "others, cores"].map(
        number,
      ),
    ],
    rows: Object.entries(groups).map(([label, runs]) => [
      { text: names.get(label) ?? label, look: label },
      figureCell(runs.length, 0),
      ...(["select_seconds", "gradient_seconds", "total_seconds"] as const).map((name) =>
        figureCell(
          mean(runs, (run) => run[name]),
          2,
        ),
      ),
      figureCell(
        mean(runs, (run) => run.images_per_second),
        0,
      ),
      othersCell(runs),
    ]),
  };
}

/** The page of timings. @param families labels of groups that differ in their selector alone */
export function timingsDocument(
  groups: Record<string, Timed[]>,
  families: string[][],
  figures: Figures,
  upstream: UpstreamRun[],
  names: Map<string, string>,
): Document {
  const runs = Object.values(groups).flat();
  const said = spreads(groups, families, names);
  return {
    title: "Measured time",
    lead: "Seconds of training on the machine that ran it. They differ from run to run and from machine to machine, so they are kept apart from the report, and check does not compare them.",
    blocks: [
      ...(runs.length ? [text(besides(runs))] : []),
      heading(2, "Quality against seconds"),
      part("race", figures.named("race")),
      ...(said.length ? [heading(2, "Cost of mining")] : []),
      ...list(said),
      heading(2, "Seconds of each training"),
      secondsTable(groups, names),
      ...details("Parts of the seconds", markdownOnly(...figures.others()), detailTable(groups, names)),
      ...dagBlocks(upstream),
    ],
  };
}
