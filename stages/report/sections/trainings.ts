/** The sections of what happened before the queries: choices made on validation, and trainings. */
import {
  type Block,
  type Cell,
  cell,
  figureCell,
  heading,
  list,
  part,
  runAnchor,
  type Table,
  text,
} from "../document/document.ts";
import { listed } from "../numbers/kin.ts";
import type { Choice, Summary } from "../numbers/summary.ts";
import { NEAR_BEST, type Training } from "../numbers/training.ts";
import { nameOf } from "./results.ts";

/** The choices that fell on the least or the largest candidate: a better value may lie beyond it. */
const atAnEnd = (choices: Choice[]): string[] =>
  choices.flatMap(({ label, value, candidates }) => {
    const values = candidates.map((candidate) => Number(candidate.value));
    const end = [Math.min(...values), Math.max(...values)].includes(Number(value));
    return end && values.length > 1 ? `${label} (${value})` : [];
  });

/** Candidates' scores, a row for each choice, the chosen one strong. */
export function choiceBlocks({ choices }: Summary): Block[] {
  if (choices.length === 0) return [];
  const tables = [...new Set(choices.map(({ param }) => param))].map((param): Table => {
    const own = choices.filter((choice) => choice.param === param);
    const values = [...new Set(own.flatMap(({ candidates }) => candidates.map(({ value }) => value)))];
    values.sort((a, b) => Number(a) - Number(b));
    return {
      kind: "table",
      caption: `The ${nameOf(own[0].metric)} of each candidate for ${param}, one training each; the chosen one is strong.`,
      columns: [
        { title: "for" },
        ...values.map((value) => ({ title: String(value), number: true })),
        { title: "chosen", number: true },
      ],
      rows: own.map(({ id, label, value: chosen, candidates }) => [
        { text: label, to: runAnchor(id) },
        ...values.map((value): Cell => {
          const found = candidates.find((candidate) => candidate.value === value);
          return found ? { ...figureCell(found.score, 4), strong: value === chosen } : cell("–");
        }),
        { text: String(chosen), sort: Number(chosen) },
      ]),
    };
  });
  const ends = atAnEnd(choices);
  return [
    heading(2, "Chosen on the validation images"),
    text(
      "No query image was looked at for these choices: each is the candidate with the best validation score.",
    ),
    ...tables,
    ...(ends.length
      ? [text(`Chosen at an end of its candidates, so that a better value may lie beyond: ${listed(ends)}.`)]
      : []),
  ];
}

const count = (value: number | null): Cell =>
  value === null
    ? { text: "never", sort: Number.POSITIVE_INFINITY }
    : { text: value.toLocaleString("en-US"), sort: value };

/** Of a loss that takes neither triplets nor pairs. */
const NO_TRIPLETS: Cell = { text: "–", sort: Number.NEGATIVE_INFINITY };

/** The ids of trainings with their marks. */
export function collapseLines(trainings: Record<string, Training[]>): string[] {
  return Object.values(trainings)
    .flat()
    .flatMap(({ id, marks }) => marks.map((mark) => `${id}: ${mark}.`));
}

/** The trainings of one protocol: what is near the best of one is no measure for another. */
function trainingTable(protocol: string, level: number, groups: [string, Training[]][]): Table {
  const mean = (runs: Training[], of: (run: Training) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const whole = (runs: Training[], of: (run: Training) => number | null) => {
    const values = runs.map(of);
    return count(values.includes(null) ? null : Math.round(mean(runs, (run) => of(run) ?? 0)));
  };
  const figure = (runs: Training[], of: (run: Training) => number, digits: number) =>
    figureCell(mean(runs, of), digits);
  return {
    kind: "table",
    caption: `Trainings${protocol ? ` under protocol ${protocol}` : ""}, means over runs. Near the best: a validation mAP of ${level.toFixed(4)}, ${Math.round(100 * NEAR_BEST)} % of the best of these trainings; "never" where a run did not reach it; a dash where the loss takes neither triplets nor pairs. A mark says that a run collapsed or ran out of triplets or pairs.`,
    columns: [
      { title: "training" },
      { title: "runs", number: true },
      { title: "best validation mAP", number: true },
      { title: "images seen at the best", number: true },
      { title: "images to near the best", number: true },
      { title: "triplets or pairs to near the best", number: true },
      { title: "last loss", number: true },
      { title: "last active share", number: true },
      { title: "last variance", number: true },
      { title: "marks" },
    ],
    rows: groups.map(([label, runs]) => {
      const takes = runs.every((run) => run.uses_triplets);
      return [
        { text: label, to: runAnchor(runs[0].id) },
        figureCell(runs.length, 0),
        figure(runs, (run) => run.best_validation_map, 4),
        whole(runs, (run) => run.images_at_best),
        whole(runs, (run) => run.images_to_near_best),
        takes ? whole(runs, (run) => run.triplets_to_near_best) : NO_TRIPLETS,
        figure(runs, (run) => run.last_loss, 4),
        takes ? figure(runs, (run) => run.last_active, 3) : NO_TRIPLETS,
        figure(runs, (run) => run.last_spread, 3),
        cell(markOf(runs)),
      ];
    }),
  };
}

/** Curves and the tables of trainings. */
export function trainingBlocks(
  { trainings, near_best }: Summary,
  figures: (name: string) => Block[],
): Block[] {
  if (near_best.size === 0) return [];
  const marked = collapseLines(trainings);
  return [
    heading(2, "Training"),
    part("curves", [...figures("curves"), ...figures("triplets")]),
    ...[...near_best].map(([protocol, level]) =>
      trainingTable(
        protocol,
        level,
        Object.entries(trainings).filter(([, [first]]) => first.protocol === protocol),
      ),
    ),
    heading(3, "Collapse"),
    ...(marked.length
      ? [text("What the histories show at their ends:"), ...list(marked)]
      : [text("No training shows a sign of collapse.")]),
  ];
}

/** How many of a group's seeds carry a mark. */
function markOf(runs: Training[]): string {
  const collapsed = runs.filter((run) => run.collapsed).length;
  const starved = runs.filter((run) => run.starved).length;
  const said = [
    ...(collapsed ? [`${collapsed} of ${runs.length} collapsed`] : []),
    ...(starved ? [`${starved} of ${runs.length} ran out of triplets or pairs`] : []),
  ];
  return said.join(", ") || "none";
}
