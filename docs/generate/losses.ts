/** Builds docs/losses.md, the page to choose a loss, a selector, a sampler and a network from. */

import type { Loss } from "../../stages/train/loss.ts";
import { choicesTable, codes, embeddings, link, pixels } from "./choices.ts";
import { type Comparison, number, ranking, wordsOf } from "./measured.ts";
import { paramsTable, type Schema } from "./params.ts";
import { type Documented, type Parts, readParts } from "./parts.ts";

const INTRODUCTION = `<!-- Generated from stages/train/ and reports/. Do not edit: change the docstrings, then \`npm run docs\`. -->

# Losses, selectors, samplers, networks

A training combines four parts: a **sampler** draws a batch, a **network** embeds it, a **selector** chooses the pairs
or triplets that train, and a **loss** scores them. Each part is one file of \`stages/train/\`, and its name is the word in
\`pipeline.yaml\`:

    train:
      with: { loss: { use: facenet, margin: 0.5 }, selector: mean-negative, sampler: balanced, network: mlp }

\`npm run docs\` generates this page from the parts' docstrings and params and from the committed reports.
[Adding a part](adding.md) says how to write one.`;

const NOTATION = `## Notation

\`a\`, \`p\`, \`n\` are the embeddings of an anchor, a positive (same class) and a negative (another class), \`|a-p|\` is a
Euclidean distance, \`e\` an embedding, \`u\` the outputs of a network that trains codes (the sign of an output is a bit), \`dim\`
the number of outputs. \`W\` and \`c\` are weights that train. The equation of a triplet or pair is averaged over those that the
selector chose. \`margin\` in a selector is that of the loss: in squared distances, infinite for a loss without a margin,
and four times the margin of \`dtsh\`. *Unit sphere* means that embeddings are scaled to length 1 before the loss, and stored so; \`normalise\` of
\`train\` overrides it.`;

const SCHEDULES = `## Schedules

A param whose type names a schedule, and \`learning_rate\` of \`train\`, may change during training:

    margin: 0.2                                # constant
    margin: { from: 0.1, to: 0.5, over: 0.5 }  # linear, over the first half of the steps
    margin: { from: 1, to: 16, shape: double } # 1, 2, 4, 8, 16: doubling in five equal stairs
    lambda: { steps: [0, 10], at: [0.4] }      # 0, and 10 from 40 % of the steps on; without at: equal stairs`;

/** @param taking names of the losses with the param */
const memory = (taking: string): string => `## Memory

\`memory: { size: 4096, from: 0.1 }\` is cross-batch memory (Wang, Zhang, Huang & Scott 2020): the last \`size\` embeddings of a
training, first in first out, are partners of the batch's images from the share \`from\` of all steps on (default: from the
start). The batch enters before its loss, and no image is paired with its own copy. The content of the memory is constant: only
the images of the batch are anchors and have a gradient. A pair of two of them counts once for each, so that the mean over
pairs is over ordered pairs, and the gradient is half of that without a memory where no earlier batch is in it. The
validation loss is measured without it. It is a param of ${taking}; another loss rejects it.`;

/** The section of losses that learn codes with labels: the codes that are searched. */
const LEARNED_CODES = `## Losses that learn codes of training images

Such a loss finds a code for each training image itself, with the image's label, beside the network. Papers search these
codes: where the training images are searched, the method then sees labels of the searched set, and its numbers do not
compare with those of a method that encodes every image from its pixels. DeepHash never searches them: \`embed\` and
\`encode\` take the signs of the network's outputs for every image, of training, database and queries alike.`;

/** A ranking as a Markdown table, with one column of parts for each title. */
function rankingTable(comparison: Comparison, titles: string[]): string {
  const rows = ranking(comparison, "map").map((training) => {
    const words = wordsOf(training.label);
    const parts = titles.map((_, index) => (words[index] ? link(words[index]) : "–"));
    return `| ${parts.join(" | ")} | ${number(training, "map")} | ${number(training, "knn_accuracy")} |`;
  });
  const rule = [...titles.map(() => "---"), "---:", "---:"];
  return [`| ${[...titles, "mAP", "kNN"].join(" | ")} |`, `| ${rule.join(" | ")} |`, ...rows].join("\n");
}

/** mAP of codes, a column for each number of bits. */
function codesTable(parts: Parts): string {
  const lengths = [12, 24, 32, 48];
  const columns = lengths.map(
    (bits) => new Map(ranking(codes(parts, bits), "map").map((one) => [wordsOf(one.label)[0], one])),
  );
  const losses = [...columns.at(-1)!.keys()];
  const rows = losses.map((loss) => {
    const cells = columns.map((column) => (column.has(loss) ? number(column.get(loss)!, "map") : ""));
    return `| ${link(loss)} | ${cells.join(" | ")} |`;
  });
  const head = lengths.map((bits) => `${bits} bits`).join(" | ");
  return [`| loss | ${head} |`, `| --- |${" ---: |".repeat(lengths.length)}`, ...rows].join("\n");
}

/** Everything that the reports measured, as far as their trainings differ in the parts alone. */
const measuredSection = (parts: Parts): string => `## Measurements

Means over seeds, sorted by mAP. Close ranks do not differ reliably: the reports have the intervals, and mark trainings
that collapsed. [The study](study.md) discusses the results, [evaluation](evaluation.md) defines the metrics. One param
of most losses (a margin, a scale, a weight) and k of kNN were chosen on validation images, as the reports list. All other
params are the defaults, which may not suit these images.

**Embeddings** of frozen MobileNetV2 features, CIFAR-10, network \`mlp\`, sampler \`balanced\`
([report](../reports/cifar10-mobilenetv2/report.md)):

${rankingTable(embeddings(parts), ["loss", "selector"])}

**Binary codes** of the same features, protocol \`P1\`, mAP; \`dtsh\` with the selector \`all\`
([report](../reports/codes-mobilenetv2/report.md)):

${codesTable(parts)}

**From pixels**: Fashion-MNIST, embeddings of two dimensions, margin 1, network \`embedding-net\`
([report](../reports/fashion-mnist/report.md)):

${rankingTable(pixels(parts), ["loss", "sampler", "selector"])}`;

/** One part: its docstring and its params. @param facts what the definition says besides */
function section<D extends { params?: object }>(
  { name, definition, description }: Documented<D>,
  facts: string,
): string {
  const { title, text, equation, when, source } = description;
  return [
    `### ${name}`,
    title,
    ...text,
    `\`\`\`text\n${equation}\n\`\`\``,
    facts,
    paramsTable(definition.params as Record<string, Schema> | undefined),
    `**When to use it.** ${when}`,
    `**Source.** ${source}${source.endsWith(".") ? "" : "."}`,
  ].join("\n\n");
}

const listed = (names: string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** A table of all parts of a kind, a line each. */
const overview = (kind: Documented<unknown>[], column: string, fact: (part: never) => string): string =>
  [
    `| name | ${column} | description |`,
    "| --- | --- | --- |",
    ...kind.map((part) => `| ${link(part.name)} | ${fact(part as never)} | ${part.description.title} |`),
  ].join("\n");

/** The whole page. @throws Error when a part's docstring is incomplete or a report lacks a number */
export async function lossesPage(): Promise<string> {
  const parts = await readParts();
  const { losses, selectors, samplers, networks } = parts;
  const selecting = (what: string) => losses.filter(({ definition }) => definition.selects === what);
  const takes = { triplets: "triplets", pairs: "pairs", nothing: "whole batches" };
  const outputs = ({ codes, normalise }: Loss): string =>
    codes ? "codes" : normalise ? "embeddings, unit sphere" : "embeddings";
  const lossSection = (part: (typeof losses)[number]): string =>
    section(part, `Trains on ${takes[part.definition.selects]}; makes ${outputs(part.definition)}.`);
  return [
    INTRODUCTION,
    `## Choosing\n\nThe rank is among the trainings of the same report under [Measurements](#measurements).\n\n${choicesTable(parts)}`,
    measuredSection(parts),
    NOTATION,
    "## Losses",
    overview(
      losses,
      "trains on; makes",
      ({ definition }: (typeof losses)[number]) => `${takes[definition.selects]}; ${outputs(definition)}`,
    ),
    ...losses.filter(({ definition }) => !definition.learnsCodes).map(lossSection),
    LEARNED_CODES,
    ...losses.filter(({ definition }) => definition.learnsCodes).map(lossSection),
    memory(
      listed(losses.filter(({ definition }) => definition.params?.memory).map(({ name }) => link(name))),
    ),
    "## Selectors",
    "A selector chooses from the batch. Losses that take whole batches need none, nor does a sampler that gives pairs or triplets.",
    overview(selectors, "chooses", ({ definition }: (typeof selectors)[number]) => definition.selects),
    ...selectors.map((part) => {
      const { selects } = part.definition;
      const fitting = selecting(selects).map(({ name }) => link(name));
      return section(part, `Chooses ${selects}: for ${listed(fitting)}.`);
    }),
    "## Samplers",
    overview(samplers, "gives", ({ definition }: (typeof samplers)[number]) => definition.gives ?? "images"),
    ...samplers.map((part) => {
      const { gives } = part.definition;
      const fitting = selecting(gives ?? "").map(({ name }) => link(name));
      return section(
        part,
        gives
          ? `Gives ${gives}, without a selector: for ${listed(fitting)}.`
          : "Gives images: for every loss.",
      );
    }),
    "## Networks",
    overview(networks, "takes", ({ definition }: (typeof networks)[number]) => definition.takes),
    ...networks.map((part) => section(part, `Takes ${part.definition.takes}.`)),
    SCHEDULES,
  ]
    .join("\n\n")
    .concat("\n");
}
