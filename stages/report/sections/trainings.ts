/** The section of losses and mining: curves, what trainings cost, and the choices made on validation images. */
import {
  type Block,
  type Cell,
  cell,
  details,
  figureCell,
  heading,
  list,
  pageOnly,
  part,
  runAnchor,
  type Table,
  text,
} from "../document/document.ts";
import { listed } from "../numbers/kin.ts";
import type { Choice, Summary } from "../numbers/summary.ts";
import { NEAR_BEST, type Training } from "../numbers/training.ts";
import { NONE, nameOf } from "./cells.ts";

/** The choices of the least or the largest candidate: a better value may be beyond it. */
const atAnEnd = (choices: Choice[], names: Map<string, string>): string[] =>
  choices.flatMap(({ label, value, candidates }) => {
    const values = candidates.map((candidate) => Number(candidate.value));
    const end = [Math.min(...values), Math.max(...values)].includes(Number(value));
    return end && values.length > 1 ? `${names.get(label) ?? label} (${value})` : [];
  });

/** Candidates' scores, a row for each choice, the chosen one strong. */
function choiceBlocks({ choices }: Summary, names: Map<string, string>): Block[] {
  if (choices.length === 0) return [];
  const tables = [...new Set(choices.map(({ param }) => param))].map((param): Table => {
    const own = choices.filter((choice) => choice.param === param);
    const values = [...new Set(own.flatMap(({ candidates }) => candidates.map(({ value }) => value)))];
    values.sort((a, b) => Number(a) - Number(b));
    return {
      kind: "table",
      caption: `The ${nameOf(own[0].metric)} of each candidate for ${param}, one training each; the chosen one is strong. No query image took part in the choice.`,
      columns: [
        { title: "for" },
        ...values.map((value) => ({ title: String(value), number: true })),
        { title: "chosen", number: true },
      ],
      rows: own.map(({ id, label, value: chosen, candidates }) => [
        { text: names.get(label) ?? label, to: runAnchor(id), look: label },
        ...values.map((value): Cell => {
          const found = candidates.find((candidate) => candidate.value === value);
          return found ? { ...figureCell(found.score, 4), strong: value === chosen } : cell("–");
        }),
        { text: String(chosen), sort: Number(chosen) },
      ]),
    };
  });
  const ends = atAnEnd(choices, names);
  return details(
    `Chosen on the validation images: ${listed([...new Set(choices.map(({ param }) => param))])}`,
    ...tables,
    ...(ends.length
      ? [text(`Chosen at an end of its candidates, so a better value may be beyond: ${listed(ends)}.`)]
      : []),
  );
}

const count = (value: number | null): Cell =>
  value === null
    ? { text: "never", sort: Number.POSITIVE_INFINITY }
    : { text: value.toLocaleString("en-US"), sort: value };

/** The ids of trainings with their marks. */
function collapseLines(trainings: Record<string, Training[]>): string[] {
  return Object.values(trainings)
    .flat()
    .flatMap(({ id, marks }) => marks.map((mark) => `${id}: ${mark}.`));
}

/** How many of a group's seeds carry a mark; "" for none. */
function markOf(runs: Training[]): string {
  const collapsed = runs.filter((run) => run.collapsed).length;
  const starved = runs.filter((run) => run.starved).length;
  return [
    ...(collapsed ? [`${collapsed} of ${runs.length} collapsed`] : []),
    ...(starved ? [`${starved} of ${runs.length} ran out of triplets or pairs`] : []),
  ].join(", ");
}

/** The trainings of one protocol: a number near the best of one is no measure for another. */
function trainingTable(
  protocol: string,
  level: number,
  groups: [string, Training[]][],
  names: Map<string, string>,
): Table {
  const mean = (runs: Training[], of: (run: Training) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const whole = (runs: Training[], of: (run: Training) => number | null) => {
    const values = runs.map(of);
    return count(values.includes(null) ? null : Math.round(mean(runs, (run) => of(run) ?? 0)));
  };
  return {
    kind: "table",
    caption: `Trainings${protocol ? ` under protocol ${protocol}` : ""}, means over runs. Near the best: a validation mAP of ${level.toFixed(4)}, ${Math.round(100 * NEAR_BEST)} % of the best of these trainings; "never" where a run did not reach it; a dash where the loss takes neither triplets nor pairs. trainings.csv has every run, with its last loss, active share and variance.`,
    columns: [
      { title: "training" },
      { title: "best validation mAP", number: true },
      { title: "images to near the best", number: true },
      { title: "triplets or pairs to near the best", number: true, minor: true },
      { title: "runs", number: true, minor: true },
    ],
    rows: groups.map(([label, runs]) => [
      {
        text: names.get(label) ?? label,
        to: runAnchor(runs[0].id),
        look: label,
        mark: markOf(runs) || undefined,
      },
      figureCell(
        mean(runs, (run) => run.best_validation_map),
        4,
      ),
      whole(runs, (run) => run.images_to_near_best),
      runs.every((run) => run.uses_triplets) ? whole(runs, (run) => run.triplets_to_near_best) : NONE,
      figureCell(runs.length, 0),
    ]),
  };
}

/** Curves, the tables of trainings, and the choices. */
export function trainingBlocks(
  summary: Summary,
  names: Map<string, string>,
  figures: (name: string) => Block[],
): Block[] {
  const { trainings, near_best } = summary;
  const choices = choiceBlocks(summary, names);
  if (near_best.size === 0) return choices.length ? [heading(2, "Losses and mining"), ...choices] : [];
  const marked = collapseLines(trainings);
  return [
    heading(2, "Losses and mining"),
    part("curves", [...figures("curves"), ...figures("triplets")]),
    pageOnly(part("seconds")),
    ...details(
      "Cost of each training",
      ...[...near_best].map(([protocol, level]) =>
        trainingTable(
          protocol,
          level,
          Object.entries(trainings).filter(([, [first]]) => first.protocol === protocol),
          names,
        ),
      ),
    ),
    ...choices,
    ...(marked.length
      ? details(`Signs of collapse in ${marked.length} trainings`, ...list(marked))
      : [text("No training shows a sign of collapse.")]),
  ];
}
