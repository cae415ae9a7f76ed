/** report: what a study found, as numbers, Markdown and one page; measured time in files of its own. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage } from "../../runner/stage.ts";
import { readChoice } from "../shared/artifacts/choice.ts";
import { protocolLabel, readHistories, readTimings, timedHistories } from "../shared/artifacts/history.ts";
import { readEvaluations } from "../shared/artifacts/metrics.ts";
import { readNeighbours } from "../shared/artifacts/neighbours.ts";
import { readQueries } from "../shared/artifacts/per-query.ts";
import { readMap } from "../shared/artifacts/tsne-map.ts";
import { appearancesOf } from "../shared/runs/looks.ts";
import { toMarkdown } from "./document/markdown.ts";
import { openFigures } from "./document/pictures.ts";
import { comparisonsCsv, heldNumbers, toJson, trainingsCsv } from "./numbers/files.ts";
import { type Choice, summarise } from "./numbers/summary.ts";
import { NO_DATA, type PageData, type Seconds } from "./page/data.ts";
import { confusions, mapData, readRadii, readThumbnails, runData } from "./page/gather.ts";
import { toPage } from "./page/page.ts";
import { codeLines } from "./sections/codes.ts";
import { leadOf } from "./sections/lead.ts";
import { PROVENANCE, provenance } from "./sections/provenance.ts";
import { reportDocument } from "./sections/report.ts";
import { bySelector, miningSeconds, timedGroups, timingsDocument } from "./sections/timings.ts";

interface Params {
  title: string;
  profile?: string;
  folder?: string;
  study?: boolean;
  resamples: number;
  seed: number;
}

/** A page that is larger is slow to open and to keep under version control. */
const LARGEST_PAGE = 5_000_000;

/** The file of seconds; the page shows them where it is there. */
const SECONDS = "timings/seconds.js";

/** The answers' seconds and the curves against them: a script beside the page, which shows them where it is there. */
const secondsScript = (seconds: Seconds): string =>
  `globalThis.deephashSeconds = ${JSON.stringify(seconds)};\n`;

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
          ...readChoice(path),
          id,
          label: protocolLabel(point, id),
        }),
      ),
    };
    const timings = sources.timings.map(readTimings);
    const summary = summarise(study, params.resamples, params.seed);
    const groups = appearancesOf([...study.evaluations, ...study.histories]);
    const names = new Map(Object.entries(groups).map(([label, { name }]) => [label, name]));
    note("headline", leadOf(summary.protocols, names));
    writeFileSync(outputs.metrics, toJson(heldNumbers(summary)));
    writeFileSync(outputs.comparisons, comparisonsCsv(summary));
    writeFileSync(outputs.trainings, trainingsCsv(summary));

    const figures = openFigures(inputs.figures, "figures/");
    for (const file of figures.files) copyFileSync(join(inputs.figures, file), join(outputs.figures, file));
    const neighbours = inputs.neighbours ? readNeighbours(inputs.neighbours) : undefined;
    const maps = sources.maps.map(readMap);
    const data: PageData = {
      classes: neighbours?.classes ?? maps[0]?.classes ?? [],
      groups,
      neighbours,
      maps: maps.map((map) => mapData(map, neighbours, groups)),
      runs: study.histories.map((history) => runData(history)),
      confusions: confusions(study.evaluations, study.queries),
      codes: Object.entries(summary.protocols).flatMap(([protocol, own]) => codeLines(protocol, own, names)),
      radii: sources.curves.map(readRadii),
    };
    const report = reportDocument(summary, names, figures, data, {
      title: params.title,
      folder: params.folder ?? "",
      timed: timings.length > 0,
      study: params.study ?? false,
      provenance: provenance(study, params.profile, 3),
    });
    writeFileSync(outputs.report, toMarkdown(report));
    const beside = { base: "", seconds: timings.length ? SECONDS : undefined };
    const page = toPage(report, figures.picture, data, beside);
    writeFileSync(outputs.page, page);
    note("page_megabytes", Math.round(page.length / 1e4) / 100);
    if (page.length > LARGEST_PAGE)
      warn(`index.html has ${(page.length / 1e6).toFixed(1)} MB: draw fewer points in the maps.`);
    const thumbnails = readThumbnails(inputs.thumbnails);
    if (thumbnails)
      writeFileSync(
        join(outputs.page_with_images, "index.html"),
        toPage(report, figures.picture, { ...data, thumbnails }, { ...beside, base: "../" }),
      );
    writeFileSync(
      outputs.provenance,
      toMarkdown({ ...PROVENANCE, blocks: provenance(study, params.profile, 2) }),
    );

    const measured = openFigures(inputs.timing_figures, "timings/");
    for (const file of measured.files)
      copyFileSync(join(inputs.timing_figures, file), join(outputs.timing_figures, file));
    const timed = timedGroups(study.histories, timings);
    const families = bySelector(study.histories);
    const seconds = timingsDocument(timed, families, measured, upstream, names);
    const raced = timedHistories(study.histories, timings).map((pair) => runData(...pair));
    writeFileSync(outputs.timings, toJson(timed));
    writeFileSync(outputs.timings_report, toMarkdown(seconds));
    writeFileSync(
      outputs.timings_page,
      toPage(seconds, measured.picture, { ...NO_DATA, groups, runs: raced }),
    );
    if (timings.length)
      writeFileSync(
        join(outputs.timing_figures, "seconds.js"),
        secondsScript({ mining: miningSeconds(timed, families, names), runs: raced }),
      );
  },
});
