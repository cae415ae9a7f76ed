/** The provenance of each number: the run, its inputs, its params, and the command that repeats it. */

import { type History, trainingOf } from "../../shared/artifacts/history.ts";
import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { groupRuns } from "../../shared/runs/groups.ts";
import {
  type Block,
  type Cell,
  cell,
  figureCell,
  heading,
  madeAnchor,
  runAnchor,
  text,
} from "../document/document.ts";
import type { Choice } from "../numbers/summary.ts";

/** Characters of a hash that are shown. */
const SHOWN = 16;

const code = (words: string): Cell => ({ text: words, code: true });

/** The command that repeats one instance. */
export function commandFor(id: string, profile: string | undefined): string {
  return `npm run pipeline -- ${profile ? `--profile ${profile} ` : ""}--only '${id}'`;
}

/** The params of a training as its history tells them. */
function paramsOf({ metadata }: History): string {
  const { collapse: _, classes: __, ...params } = metadata;
  return JSON.stringify(params);
}

/** Its title and introduction. */
export const PROVENANCE = {
  title: "Provenance of every number",
  lead: "Every row of the report is the mean of the runs listed here. A hash is the sha256 of the file's content; the command repeats the run, or finds it up to date.",
};

/** The tables of provenance. */
export function provenance(
  study: { evaluations: Evaluation[]; histories: History[]; choices: Choice[] },
  profile: string | undefined,
  level: 2 | 3,
): Block[] {
  const { evaluations, histories, choices } = study;
  const groups = groupRuns(evaluations);
  return [
    heading(level, "Evaluations"),
    {
      kind: "table",
      caption: "The evaluations of each row, with the k that validation chose for each.",
      columns: [
        { title: "row" },
        { title: "run" },
        { title: "protocol" },
        { title: "k of kNN", number: true },
        { title: "metrics" },
        { title: "training" },
        { title: "history" },
        { title: "command" },
      ],
      anchors: groups.flatMap(({ label, members }) => members.map(() => madeAnchor(label))),
      rows: groups.flatMap(({ label, members }) =>
        members.map((member) => {
          const from = trainingOf(histories, member.recipe);
          return [
            cell(label),
            code(member.id),
            cell(member.protocol),
            figureCell(member.k, 0),
            code(member.hash.slice(0, SHOWN)),
            from ? code(from.id) : cell("none"),
            from ? code(from.hash.slice(0, SHOWN)) : cell("–"),
            code(commandFor(member.id, profile)),
          ];
        }),
      ),
    },
    ...(histories.length
      ? [
          heading(level, "Trainings"),
          {
            kind: "table" as const,
            caption: "The params of each training.",
            columns: [{ title: "training" }, { title: "params" }],
            anchors: histories.map(({ id }) => runAnchor(id)),
            rows: histories.map((history) => [code(history.id), code(paramsOf(history))]),
          },
        ]
      : []),
    ...(choices.length
      ? [
          heading(level, "Choices"),
          {
            kind: "table" as const,
            caption: "The choices made on validation images, with their candidates.",
            columns: [{ title: "choice" }, { title: "param" }, { title: "value" }, { title: "candidates" }],
            anchors: choices.map(({ id }) => runAnchor(id)),
            rows: choices.map(({ id, param, value, candidates }) => [
              code(id),
              code(param),
              code(String(value)),
              code(candidates.map((candidate) => candidate.id).join(", ")),
            ]),
          },
        ]
      : []),
    text("npm run pipeline -- why RUN shows the key, the files and the log of a run."),
  ];
}
