/** report: what a study found, as numbers, Markdown and one page; what the clock says in files of its own. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage } from "../../runner/stage.ts";
import { readJson } from "../shared/artifacts.ts";
import { labelOf } from "../shared/groups.ts";
import { readHistory, readTimings } from "../shared/histories.ts";
import { readEvaluation } from "../shared/metrics.ts";
import { codeBlocks } from "./codes.ts";
import { comparisonBlocks } from "./comparisons.ts";
import { type Document, heading, text } from "./document.ts";
import { toMarkdown } from "./markdown.ts";
import { comparisonsCsv, heldNumbers, toJson, trainingsCsv } from "./numbers.ts";
import { toPage } from "./page.ts";
import { type Figures, openFigures } from "./pictures.ts";
import { provenance } from "./provenance.ts";
import { readQueries } from "./queries.ts";
import { classBlocks, leadOf, resultBlocks } from "./results.ts";
import { type Choice, type Summary, summarise } from "./summary.ts";
import { timedGroups, timingsDocument } from "./timings.ts";
import { choiceBlocks, trainingBlocks } from "./trainings.ts";

interface Params {
  title: string;
  profile?: string;
  resamples: number;
  seed: number;
}

/** A page that is larger is slow to open and to keep under version control. */
const LARGEST_PAGE = 5_000_000;

/** The report without the clock. */
function reportDocument(title: string, summary: Summary, figures: Figures, timed: boolean): Document {
  const protocols = Object.entries(summary.protocols);
  const planes = [...figures.named("plane-query"), ...figures.named("plane-train")];
  const blocks = [
    ...(planes.length ? [heading(2, "The embeddings themselves"), ...planes] : []),
    ...protocols.flatMap(([protocol, own]) => [
      ...codeBlocks(protocol, own, figures.named),
      ...resultBlocks(protocol, own, figures.named),
      ...comparisonBlocks(protocol, own, summary.resamples),
    ]),
    ...choiceBlocks(summary),
    ...trainingBlocks(summary, figures.named),
    ...protocols.flatMap(([protocol, own]) => classBlocks(protocol, own, figures.named)),
  ];
  const maps = figures.others();
  return {
    title,
    lead: leadOf(summary.protocols),
    blocks: [
      ...blocks,
      ...(maps.length ? [heading(2, "Maps"), ...maps] : []),
      heading(2, "Beside this report"),
      text(
        "Everything here is generated from measured numbers and is the same on every machine for the same files; what the clock says stands apart.",
      ),
      {
        kind: "links",
        links: [
          { text: "metrics.json: the numbers that a check holds a run to", to: "metrics.json" },
          { text: "comparisons.csv: every pair", to: "comparisons.csv" },
          { text: "trainings.csv: every training", to: "trainings.csv" },
          { text: "provenance.md: where each number comes from", to: "provenance.md" },
          ...(timed
            ? [
                { text: "timings.html: what the clock says", to: "timings.html" },
                { text: "timings.md: the same as Markdown", to: "timings.md" },
              ]
            : []),
        ],
      },
    ],
  };
}

export default defineStage<Params>({
  params: "report",
  inputs: {
    metrics: { artifact: "metrics", many: true },
    queries: { artifact: "per-query", many: true, optional: true },
    histories: { artifact: "history", many: true, optional: true },
    timings: { artifact: "timings", many: true, optional: true },
    choices: { artifact: "choice", many: true, optional: true },
    figures: { artifact: "figures", optional: true },
    timing_figures: { artifact: "figures", optional: true },
  },
  outputs: {
    metrics: "metrics.json",
    comparisons: "comparisons.csv",
    trainings: "trainings.csv",
    report: "report.md",
    page: "index.html",
    provenance: "provenance.md",
    figures: "figures/",
    timings: { path: "timings.json", measured: true },
    timings_report: { path: "timings.md", measured: true },
    timings_page: { path: "timings.html", measured: true },
    timing_figures: { path: "timings/", measured: true },
  },
  async run({ params, inputs, sources, outputs, warn, note }) {
    const study = {
      evaluations: sources.metrics.map(readEvaluation),
      queries: sources.queries.map(readQueries),
      histories: sources.histories.map(readHistory),
      choices: sources.choices.map(
        ({ path, id, point }): Choice => ({
          ...readJson<Choice>(path, "choice"),
          id,
          label: labelOf(point, id),
        }),
      ),
    };
    const timings = sources.timings.map(readTimings);
    const summary = summarise(study, params.resamples, params.seed);
    writeFileSync(outputs.metrics, toJson(heldNumbers(summary)));
    writeFileSync(outputs.comparisons, comparisonsCsv(summary));
    writeFileSync(outputs.trainings, trainingsCsv(summary));

    const figures = openFigures(inputs.figures, "figures/");
    for (const file of figures.files) copyFileSync(join(inputs.figures, file), join(outputs.figures, file));
    const report = reportDocument(params.title, summary, figures, timings.length > 0);
    writeFileSync(outputs.report, toMarkdown(report));
    const page = toPage(report, figures.picture);
    writeFileSync(outputs.page, page);
    note("page_megabytes", Math.round(page.length / 1e4) / 100);
    if (page.length > LARGEST_PAGE)
      warn(`index.html has ${(page.length / 1e6).toFixed(1)} MB: draw fewer points in the maps.`);
    writeFileSync(outputs.provenance, toMarkdown(provenance(study, params.profile)));

    const clock = openFigures(inputs.timing_figures, "timings/");
    for (const file of clock.files)
      copyFileSync(join(inputs.timing_figures, file), join(outputs.timing_figures, file));
    const timed = timedGroups(study.histories, timings);
    const seconds = timingsDocument(timed, clock.others());
    writeFileSync(outputs.timings, toJson(timed));
    writeFileSync(outputs.timings_report, toMarkdown(seconds));
    writeFileSync(outputs.timings_page, toPage(seconds, clock.picture));
  },
});
