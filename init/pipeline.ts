/** The text of a pipeline for a person's own images: one that runs as it is, and is meant to be changed. */
import { stringify } from "yaml";
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

/** In one line, whatever is in the text. */
const QUOTED = {
  defaultStringType: "QUOTE_DOUBLE",
  lineWidth: 0,
  doubleQuotedMinMultiLineLength: Number.POSITIVE_INFINITY,
} as const;

/** A text as it stands, for `${` begins a reference. */
const literal = (text: string): string => text.replaceAll("${", () => "$${");

/** A text as YAML. */
const quoted = (text: string): string => stringify(text, QUOTED).trimEnd();

/** A path as one word of a command, for bash. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return text === shown(text)
    ? `'${text.replaceAll("'", `'\\''`)}'`
    : `$'${shown(text).replaceAll("'", "\\'")}'`;
}

/** The stages of the maps, where there are points enough for them. */
const maps = (perplexity: number) => `
  map-raw:
    uses: tsne
    inputs: { vectors: extract.features, split: split.split }
    with: { distance: centred-cosine, perplexity: ${perplexity} }
  map-trained:
    uses: tsne
    inputs: { vectors: "embed[seed=1].embeddings", split: split.split }
    with: { perplexity: ${perplexity} }
`;

/** @returns YAML */
export function pipelineText(wanted: Wanted): string {
  const { name, folder, file, backbone, bits, protocol, each, validated, classes, perplexity } = wanted;
  const mapInputs = perplexity === undefined ? "" : "\n      maps: [map-raw.map, map-trained.map]";
  const split = protocol === "official" ? "official" : `{ use: own, queries: ${each} }`;
  const validation = validated ? "" : `, validation: ${each * classes}`;
  const command = shellWord(file);
  return `# ${wanted.images} images in ${classes} classes, of ${shown(folder)}.
# Run it:     npm run pipeline -- --pipeline ${command}
# Search it:  npm run search -- IMAGE --index indexes/${name}
# Every word is explained in pipeline.yaml and in schemas/; what can stand in its place, in README.md.

profile: ${quoted(name)}

vars:
  backbone: ${backbone} # what sees the images: a network that ImageNet has trained
  bits: ${bits} # of a code
  seeds: [1, 2, 3] # trainings; their spread is the interval

profiles:
  ${quoted(name)}:
    description: ${quoted(`the images of ${folder}`)}

stages:
  download:
    uses: download
    inputs: { files: ${quoted(literal(folder))} }
    with: { dataset: folder }
  backbone:
    uses: backbone
    with: { backbone: "\${vars.backbone}" }
  # Queries are asked once, at the end; margins, steps and k are chosen on the validation images. A query that is, or
  # nearly is, an image that is searched would be found trivially: it is left out.
  split:
    uses: split
    inputs: { images: download.images }
    with: { protocol: ${split}${validation}, duplicates: leave-out }
  extract:
    uses: extract
    inputs: { images: download.images, model: backbone.model }
    with: { backbone: "\${vars.backbone}" }

  # An embedding: images of one class near each other.
  train:
    uses: train
    matrix: { loss: [facenet], seed: "\${vars.seeds}" }
    inputs: { data: extract.features, split: split.split }
    with: &training
      network: { use: mlp, hidden: [512], dropout: 0.3 }
      loss: \${matrix.loss}
      selector: semihard-negative
      dim: 64
      steps: 300
      evaluate_every: 50
      learning_rate: { from: 0.003, to: 0.0001 }
      seed: \${matrix.seed}
  embed:
    uses: embed
    matrix: train
    inputs: { data: extract.features, model: train.model }

  # Codes of bits: the signs of an embedding that was trained for them.
  train-codes:
    uses: train
    matrix: { loss: [dtsh], seed: "\${vars.seeds}" }
    inputs: { data: extract.features, split: split.split }
    with:
      <<: *training
      loss: { use: "\${matrix.loss}", lambda: 0.03 }
      selector: all
      dim: \${vars.bits}
  embed-codes:
    uses: embed
    matrix: train-codes
    inputs: { data: extract.features, model: train-codes.model }
  encode:
    uses: encode
    matrix: train-codes
    inputs: { vectors: embed-codes.embeddings, split: split.split }

  evaluate-raw:
    uses: evaluate
    inputs: { vectors: extract.features, split: split.split }
    with: { distance: centred-cosine }
  evaluate:
    uses: evaluate
    matrix: train
    inputs: { vectors: embed.embeddings, split: split.split }
  evaluate-codes:
    uses: evaluate-codes
    matrix: train-codes
    inputs: { codes: encode.codes, split: split.split }
${perplexity === undefined ? "" : maps(perplexity)}
  # What lies nearest to some queries, in features, in the embedding and in bits: shown in the report.
  browse:
    uses: browse
    inputs:
      split: split.split
      vectors: [extract.features, "embed[seed=1].embeddings"]
      codes: encode[seed=1].codes
      queries: [evaluate-raw.per-query, "evaluate[seed=1].per-query", "evaluate-codes[seed=1].per-query"]${mapInputs}
      images: download.images
  plot:
    uses: plot
    inputs:
      metrics: [evaluate-raw.metrics, evaluate.metrics, evaluate-codes.metrics]
      histories: [train.history, train-codes.history]
      timings: [train.timings, train-codes.timings]${mapInputs}
  report:
    uses: report
    publish: reports/\${profile}
    inputs:
      metrics: [evaluate-raw.metrics, evaluate.metrics, evaluate-codes.metrics]
      queries: [evaluate-raw.per-query, evaluate.per-query, evaluate-codes.per-query]
      histories: [train.history, train-codes.history]
      timings: [train.timings, train-codes.timings]
      curves: evaluate-codes.curve${mapInputs}
      neighbours: browse.neighbours
      thumbnails: browse.thumbnails
      figures: plot.figures
      timing_figures: plot.timing_figures
    with:
      title: "The images of ${name}"
      profile: ${quoted(`\${profile} --pipeline ${literal(command)}`)}
      folder: reports/\${profile}

  # What npm run search takes.
  index:
    uses: index
    publish: indexes/\${profile}
    inputs:
      images: download.images
      model: backbone.model
      head: train-codes[seed=1].model
      vectors: embed-codes[seed=1].embeddings
      projection: encode[seed=1].projection
      codes: encode[seed=1].codes
    with: { backbone: "\${vars.backbone}" }
`;
}
