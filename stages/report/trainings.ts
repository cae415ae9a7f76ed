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
} from "./document.ts";
import { nameOf } from "./results.ts";
import type { Summary } from "./summary.ts";
import type { Training } from "./training.ts";

/** Candidates' scores, a row for each choice, the chosen one strong. */
export function choiceBlocks({ choices }: Summary): Block[] {
  if (choices.length === 0) return [];
  const tables = [...new Set(choices.map(({ param }) => param))].map((param): Table => {
    const own = choices.filter((choice) => choice.param === param);
    const values = [...new Set(own.flatMap(({ candidates }) => candidates.map(({ value }) => value)))];
    values.sort((a, b) => Number(a) - Number(b));
    return {
      kind: "table",
      caption: `The ${nameOf(own[0].metric)} of each candidate for ${param}; the chosen one is strong.`,
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
  return [
    heading(2, "Chosen on the validation images"),
    text(
      "No query image was looked at for these choices: each is the candidate with the best validation score.",
    ),
    ...tables,
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

/** Curves and the table of trainings. */
export function trainingBlocks(
  { trainings, near_best }: Summary,
  figures: (name: string) => Block[],
): Block[] {
  const groups = Object.entries(trainings);
  if (groups.length === 0) return [];
  const mean = (runs: Training[], of: (run: Training) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const whole = (runs: Training[], of: (run: Training) => number | null) => {
    const values = runs.map(of);
    return count(values.includes(null) ? null : Math.round(mean(runs, (run) => of(run) ?? 0)));
  };
  const marked = collapseLines(trainings);
  return [
    heading(2, "Training"),
    part("curves", [...figures("curves"), ...figures("triplets")]),
    {
      kind: "table",
      caption: `Means over seeds. Near the best: a validation mAP of ${near_best.validation_map.toFixed(4)}, ${Math.round(100 * near_best.share)} % of the study's best; "never" where a seed did not reach it; a dash where the loss takes neither triplets nor pairs. A mark says that a seed collapsed or ran out of triplets.`,
      columns: [
        { title: "training" },
        { title: "seeds", number: true },
        { title: "best validation mAP", number: true },
        { title: "images seen at the best", number: true },
        { title: "images to near the best", number: true },
        { title: "triplets to near the best", number: true },
        { title: "last loss", number: true },
        { title: "last active share", number: true },
        { title: "last variance", number: true },
        { title: "marks" },
      ],
      rows: groups.map(([label, runs]) => [
        { text: label, to: runAnchor(runs[0].id) },
        figureCell(runs.length, 0),
        figureCell(
          mean(runs, (run) => run.best_validation_map),
          4,
        ),
        whole(runs, (run) => run.images_at_best),
        whole(runs, (run) => run.images_to_near_best),
        runs.every((run) => run.uses_triplets)
          ? whole(runs, (run) => run.triplets_to_near_best)
          : NO_TRIPLETS,
        figureCell(
          mean(runs, (run) => run.last_loss),
          4,
        ),
        figureCell(
          mean(runs, (run) => run.last_active),
          3,
        ),
        figureCell(
          mean(runs, (run) => run.last_spread),
          3,
        ),
        cell(markOf(runs)),
      ]),
    },
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
    ...(starved ? [`${starved} of ${runs.length} ran out of triplets`] : []),
  ];
  return said.join(", ") || "none";
}
