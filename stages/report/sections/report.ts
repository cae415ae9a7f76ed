/** The report in its order: the answers, then a section for each question, then what one looks up. */
import { answersOf } from "../answers/answers.ts";
import {
  type Block,
  type Document,
  details,
  heading,
  list,
  pageOnly,
  part,
  text,
} from "../document/document.ts";
import type { Figures } from "../document/pictures.ts";
import type { ProtocolSummary, Summary } from "../numbers/summary.ts";
import { unsaid } from "../numbers/unsaid.ts";
import type { PageData } from "../page/data.ts";
import { codeBlocks } from "./codes.ts";
import { comparisonBlocks } from "./comparisons.ts";
import { scopeOf } from "./lead.ts";
import { PROVENANCE } from "./provenance.ts";
import { classBlocks, resultBlocks } from "./results.ts";
import { trainingBlocks } from "./trainings.ts";

/** A page to read on, from the report's folder. */
const STUDY = "../../docs/study.md";

/** The input of a report, beside its numbers. */
export interface Made {
  title: string;
  /** The published folder, for addresses; "": unknown. */
  folder: string;
  /** Whether trainings were timed. */
  timed: boolean;
  /** Whether docs/study.md tells of this study. */
  study: boolean;
  /** Where its numbers come from. */
  provenance: Block[];
}

/** The maps, the query browser, the confusions, and each class. */
function imageBlocks(
  protocols: [string, ProtocolSummary][],
  names: Map<string, string>,
  figures: Figures,
  { neighbours, maps: shownMaps, confusions }: PageData,
): Block[] {
  const maps = figures.named("tsne");
  const blocks = [
    ...(maps.length || shownMaps.length ? [heading(3, "Maps"), part("maps", maps)] : []),
    ...(neighbours
      ? [
          pageOnly(
            heading(3, "Queries"),
            text(
              `The ${neighbours.k} nearest images of the database, in each representation, for ${neighbours.drawn} queries drawn at random, every class alike (seed ${neighbours.seed}), and for those of the lowest average precision of all.`,
            ),
            part("queries"),
          ),
        ]
      : []),
    ...(confusions.length ? [pageOnly(heading(3, "Confusions"), part("confusion"))] : []),
    ...protocols.flatMap(([protocol, own]) => classBlocks(protocol, own, names, figures.named)),
  ];
  return blocks.length ? [heading(2, "Images and classes"), ...blocks] : [];
}

function fileBlocks({ timed, study }: Made): Block[] {
  return [
    heading(2, "Files and provenance"),
    {
      kind: "links",
      links: [
        { text: "metrics.json: the numbers that `check` compares", to: "metrics.json" },
        { text: "comparisons.csv: every pair, both metrics", to: "comparisons.csv" },
        { text: "trainings.csv: every training", to: "trainings.csv" },
        { text: "provenance.md: the run, file and command of each number", to: "provenance.md" },
        ...(timed
          ? [
              {
                text: "timings.html: measured seconds and memory, written by each run (a clone may have none)",
                to: "timings.html",
              },
              { text: "timings.md: the same as Markdown, written beside it", to: "timings.md" },
            ]
          : []),
        ...(study ? [{ text: "docs/study.md: the study in prose", to: STUDY }] : []),
      ],
    },
  ];
}

/** The report without measured time. */
export function reportDocument(
  summary: Summary,
  names: Map<string, string>,
  figures: Figures,
  data: PageData,
  made: Made,
): Document {
  const protocols = Object.entries(summary.protocols);
  const significance = (protocol: string, own: ProtocolSummary) =>
    comparisonBlocks(protocol, own, names, summary.resamples);
  const planes = [...figures.named("plane-query"), ...figures.named("plane-train")];
  const more = protocols.flatMap(([, { groups }]) => unsaid(groups, names));
  return {
    title: made.title,
    lead: scopeOf(summary.protocols),
    blocks: [
      heading(2, "Answers"),
      { kind: "answers", answers: answersOf(summary, names, made.folder), seconds: made.timed },
      ...(planes.length ? [heading(2, "Embeddings in the plane"), ...planes] : []),
      ...resultBlocks(protocols, names, figures.named, significance),
      ...trainingBlocks(summary, names, figures.named),
      ...codeBlocks(protocols, names, figures.named, significance),
      ...imageBlocks(protocols, names, figures, data),
      ...figures.others(),
      ...fileBlocks(made),
      ...details("Params that the names leave out", ...list([...new Set(more)])),
      pageOnly(...details(PROVENANCE.title, text(PROVENANCE.lead), ...made.provenance)),
    ],
  };
}
