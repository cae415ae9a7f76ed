/** The text of a pipeline for a person's own images: one that runs as it is, and is meant to be changed. */
import { stringify } from "yaml";
import { commandWord } from "../runner/text/index.ts";
import { shown } from "../stages/shared/text.ts";
import type { Study } from "./plan.ts";

export interface Wanted extends Study {
  name: string;
  /** Of the images, absolute. */
  folder: string;
  /** The pipeline file itself, as commands name it. */
  file: string;
  backbone: string;
  bits: number;
}

/** Any text, in one line. */
const QUOTED = {
  defaultStringType: "QUOTE_DOUBLE",
  lineWidth: 0,
  doubleQuotedMinMultiLineLength: Number.POSITIVE_INFINITY,
} as const;

/** A text as it is, for `$` begins a name. */
const literal = (text: string): string => text.replaceAll("$", () => "$$");

/** A text as YAML. */
const quoted = (text: string): string => stringify(text, QUOTED).trimEnd();

/** A path as one word of a command, for bash. */
export function shellWord(text: string): string {
  return text === shown(text) ? commandWord(text) : `$'${shown(text).replaceAll("'", "\\'")}'`;
}

/** The stages of the maps, where there are points enough for them. */
const maps = (perplexity: number) => `
  map-raw:
    uses: tsne
    inputs: { vectors: extract.features, split: split.split }
    with: { distance: centred-cosine, perplexity: ${perplexity} }
  map-trained:
    uses: tsne
    inputs: { vectors: "embed-vectors[seed=1].embeddings", split: split.split }
    with: { perplexity: ${perplexity} }
`;

/** @returns YAML */
export function pipelineText(wanted: Wanted): string {
  const { name, folder, file, backbone, bits, protocol, each, validated, classes, perplexity } = wanted;
  const mapInputs = perplexity === undefined ? "" : "\n      maps: map-*.map";
  const split = protocol === "official" ? "official" : `{ use: own, queries: ${each} }`;
  const validation = validated ? "" : `, validation: ${each * classes}`;
  const command = shellWord(file);
  return `# ${wanted.images} images in ${classes} classes, of ${shown(folder)}.
# Run it:     npm run pipeline -- --pipeline ${command}
# Search it:  npm run search -- IMAGE --index indexes/${name}
# docs/pipeline.md explains every word, schemas/ every param; docs/parts.md lists the parts.

profile: ${quoted(name)}
profiles: { ${quoted(name)}: { description: ${quoted(`the images of ${folder}`)} } }

vars: # a stage takes them as $NAME
  backbone: ${backbone} # the network, trained on ImageNet, that computes the features
  bits: ${bits} # of a code
  seeds: [1, 2, 3] # trainings; their spread is the interval

defaults: # for every stage that uses this kind
  train:
    inputs: { data: extract.features, split: split.split }
    with:
      network: { use: mlp, hidden: [512], dropout: 0.3 }
      loss: { use: $loss, lambda: $lambda? }
      selector: $selector
      dim: $dim
      steps: 300
      evaluate_every: 50
      learning_rate: { from: 0.003, to: 0.0001 }
      seed: $seed
  embed: { inputs: { data: extract.features } }
  encode: { inputs: { split: split.split } }
  evaluate: { inputs: { split: split.split } }
  evaluate-codes: { inputs: { split: split.split } }

chains: # steps with one matrix: NAME: { chain: embedding } makes the stages train-NAME, embed-NAME and evaluate-NAME
  embedding:
    train: { uses: train }
    embed: { uses: embed, inputs: { model: train.model } }
    evaluate: { uses: evaluate, inputs: { vectors: embed.embeddings } }
  codes:
    train: { uses: train }
    embed: { uses: embed, inputs: { model: train.model } }
    encode: { uses: encode, inputs: { vectors: embed.embeddings } }
    evaluate: { uses: evaluate-codes, inputs: { codes: encode.codes } }

stages:
  download:
    uses: download
    inputs: { files: ${quoted(literal(folder))} }
    with: { dataset: folder }
  backbone: { uses: backbone, with: { backbone: $backbone } }
  # Queries are evaluated once, at the end; the validation images choose margins, steps and k. A query with an exact or
  # near duplicate among the searched images is left out, since it would be found trivially.
  split:
    uses: split
    inputs: { images: download.images }
    with: { protocol: ${split}${validation}, duplicates: leave-out }
  extract:
    uses: extract
    inputs: { images: download.images, model: backbone.model }
    with: { backbone: $backbone }

  evaluate-raw: { uses: evaluate, inputs: { vectors: extract.features }, with: { distance: centred-cosine } }
  # An embedding: images of one class near each other.
  vectors:
    chain: embedding
    vars: { selector: semihard-negative, dim: 64 }
    matrix: { loss: [facenet], seed: $seeds }
  # Codes of bits: the signs of an embedding that was trained for them.
  codes:
    chain: codes
    vars: { selector: all, dim: $bits, lambda: 0.03 }
    matrix: { loss: [dtsh], seed: $seeds }
${perplexity === undefined ? "" : maps(perplexity)}
  # The nearest images of some queries, by features, embedding and bits, for the report's query browser.
  browse:
    uses: browse
    inputs:
      split: split.split
      vectors: [extract.features, "embed-vectors[seed=1].embeddings"]
      codes: encode-codes[seed=1].codes
      queries: [evaluate-raw.per-query, "evaluate-{vectors,codes}[seed=1].per-query"]${mapInputs}
      images: download.images
  plot:
    uses: plot
    inputs: &found # a * takes all stages of such a name that have the output
      metrics: evaluate-*.metrics
      histories: train-*.history
      timings: train-*.timings${mapInputs}
  report:
    uses: report
    publish: reports/\${profile}
    inputs:
      <<: *found
      queries: evaluate-*.per-query
      curves: evaluate-*.curve
      neighbours: browse.neighbours
      thumbnails: browse.thumbnails
      figures: plot.figures
      timing_figures: plot.timing_figures
    with:
      title: "The images of ${name}"
      profile: ${quoted(`\${profile} --pipeline ${literal(command)}`)}
      folder: reports/\${profile}

  # The index that npm run search reads.
  index:
    uses: index
    publish: indexes/\${profile}
    inputs:
      images: download.images
      model: backbone.model
      head: train-codes[seed=1].model
      vectors: embed-codes[seed=1].embeddings
      projection: encode-codes[seed=1].projection
      codes: encode-codes[seed=1].codes
    with: { backbone: $backbone }
`;
}
