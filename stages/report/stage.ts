/** report: what a study found, as numbers, Markdown and one page; what the clock says in files of its own. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage } from "../../runner/stage.ts";
import { protocolLabel, readHistories, readTimings, timedHistories } from "../shared/artifacts/history.ts";
import { readEvaluations } from "../shared/artifacts/metrics.ts";
import type { Neighbours } from "../shared/artifacts/neighbours.ts";
import { readQueries } from "../shared/artifacts/per-query.ts";
import { readJson } from "../shared/artifacts/schema.ts";
import { readMap } from "../shared/artifacts/tsne-map.ts";
import { type Block, type Document, heading, pageOnly, part, text } from "./document/document.ts";
import { toMarkdown } from "./document/markdown.ts";
import { type Figures, openFigures } from "./document/pictures.ts";
import { comparisonsCsv, heldNumbers, toJson, trainingsCsv } from "./numbers/files.ts";
import { type Choice, type Summary, summarise } from "./numbers/summary.ts";
import { NO_DATA, type PageData } from "./page/data.ts";
import { confusions, mapData, readRadii, readThumbnails, runData } from "./page/gather.ts";
import { toPage } from "./page/page.ts";
import { codeBlocks, codeLines } from "./sections/codes.ts";
import { comparisonBlocks } from "./sections/comparisons.ts";
import { headlineBlocks } from "./sections/headline.ts";
import { PROVENANCE, provenance } from "./sections/provenance.ts";
import { classBlocks, leadOf, resultBlocks } from "./sections/results.ts";
import { bySelector, timedGroups, timingsDocument } from "./sections/timings.ts";
import { choiceBlocks, trainingBlocks } from "./sections/trainings.ts";

interface Params {
  title: string;
  profile?: string;
  resamples: number;
  seed: number;
}

/** A page that is larger is slow to open and to keep under version control. */
const LARGEST_PAGE = 5_000_000;

/** What the page lets one look at, query by query. */
function browserBlocks({ neighbours }: PageData): Block[] {
  if (!neighbours) return [];
  return [
    heading(2, "Look at queries"),
    text(
      `The ${neighbours.k} images of the database nearest to a query, in each representation. ${neighbours.drawn} queries are drawn at random, every class alike (seed ${neighbours.seed}); ordered by the worst, those of the lowest average precision of all queries are there as well.`,
    ),
    part("queries"),
  ];
}

/** The report without the clock. @param made where its numbers come from */
function reportDocument(
  title: string,
  summary: Summary,
  figures: Figures,
  timed: boolean,
  data: PageData,
  made: Block[],
): Document {
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
  const { maps: shownMaps, confusions: shownConfusions } = data;
  const maps = figures.others();
  return {
    title,
    lead: leadOf(summary.protocols),
    blocks: [
      pageOnly(...headlineBlocks(summary)),
      ...blocks,
      ...(shownConfusions.length
        ? [pageOnly(heading(2, "Which classes are taken for each other"), part("confusion"))]
        : []),
      ...(maps.length || shownMaps.length ? [heading(2, "Maps"), part("maps", maps)] : []),
      pageOnly(...browserBlocks(data)),
      pageOnly(heading(2, PROVENANCE.title), text(PROVENANCE.lead), ...made),
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
    curves: { artifact: "curve", many: true, optional: true },
    maps: { artifact: "tsne", many: true, optional: true },
    neighbours: { artifact: "neighbours", optional: true },
    thumbnails: { artifact: "thumbnails", optional: true },
    figures: { artifact: "figures", optional: true },
    timing_figures: { artifact: "figures", optional: true },
  },
  outputs: {
    metrics: "metrics.json",
    comparisons: "comparisons.csv",
    trainings: "trainings.csv",
    report: "report.md",
    page: "index.html",
    page_with_images: "with-images/",
    provenance: "provenance.md",
    figures: "figures/",
    timings: { path: "timings.json", measured: true },
    timings_report: { path: "timings.md", measured: true },
    timings_page: { path: "timings.html", measured: true },
    timing_figures: { path: "timings/", measured: true },
  },
  async run({ params, inputs, sources, outputs, upstream, warn, note }) {
    const study = {
      evaluations: readEvaluations(sources.metrics),
      queries: sources.queries.map(readQueries),
      histories: readHistories(sources.histories),
      choices: sources.choices.map(
        ({ path, id, point }): Choice => ({
          ...readJson<Choice>(path, "choice"),
          id,
          label: protocolLabel(point, id),
        }),
      ),
    };
    const timings = sources.timings.map(readTimings);
    const summary = summarise(study, params.resamples, params.seed);
    note("headline", leadOf(summary.protocols));
    writeFileSync(outputs.metrics, toJson(heldNumbers(summary)));
    writeFileSync(outputs.comparisons, comparisonsCsv(summary));
    writeFileSync(outputs.trainings, trainingsCsv(summary));

    const figures = openFigures(inputs.figures, "figures/");
    for (const file of figures.files) copyFileSync(join(inputs.figures, file), join(outputs.figures, file));
    const neighbours = inputs.neighbours ? readJson<Neighbours>(inputs.neighbours, "neighbours") : undefined;
    const maps = sources.maps.map(readMap);
    const data: PageData = {
      classes: neighbours?.classes ?? maps[0]?.classes ?? [],
      neighbours,
      maps: maps.map((map) => mapData(map, neighbours)),
      runs: study.histories.map((history) => runData(history)),
      confusions: confusions(study.evaluations, study.queries),
      codes: Object.entries(summary.protocols).flatMap(([protocol, own]) => codeLines(protocol, own)),
      radii: sources.curves.map(readRadii),
    };
    const report = reportDocument(
      params.title,
      summary,
      figures,
      timings.length > 0,
      data,
      provenance(study, params.profile, 3),
    );
    writeFileSync(outputs.report, toMarkdown(report));
    const page = toPage(report, figures.picture, data);
    writeFileSync(outputs.page, page);
    note("page_megabytes", Math.round(page.length / 1e4) / 100);
    if (page.length > LARGEST_PAGE)
      warn(`index.html has ${(page.length / 1e6).toFixed(1)} MB: draw fewer points in the maps.`);
    const thumbnails = readThumbnails(inputs.thumbnails);
    if (thumbnails)
      writeFileSync(
        join(outputs.page_with_images, "index.html"),
        toPage(report, figures.picture, { ...data, thumbnails }, "../"),
      );
    writeFileSync(
      outputs.provenance,
      toMarkdown({ ...PROVENANCE, blocks: provenance(study, params.profile, 2) }),
    );

    const clock = openFigures(inputs.timing_figures, "timings/");
    for (const file of clock.files)
      copyFileSync(join(inputs.timing_figures, file), join(outputs.timing_figures, file));
    const timed = timedGroups(study.histories, timings);
    const seconds = timingsDocument(timed, bySelector(study.histories), clock, upstream);
    const raced = timedHistories(study.histories, timings).map((pair) => runData(...pair));
    writeFileSync(outputs.timings, toJson(timed));
    writeFileSync(outputs.timings_report, toMarkdown(seconds));
    writeFileSync(outputs.timings_page, toPage(seconds, clock.picture, { ...NO_DATA, runs: raced }));
  },
});
