/** The table to choose from: a need, the parts that meet it, and the training that measured them. */

import { type Comparison, rankOf, wordsOf } from "./measured.ts";
import type { Documented, Parts } from "./parts.ts";

/** Trainings of one loss or of one loss with a selector; those with other settings have more words. */
const isLoss = (words: string[], parts: Parts) => has(parts.losses, words[0]);
const has = (kind: Documented<unknown>[], name: string | undefined) =>
  kind.some((part) => part.name === name);

/** Embeddings of frozen features; the sampler is `balanced`. */
export const embeddings = (parts: Parts): Comparison => ({
  report: "cifar10-mobilenetv2",
  protocol: "official",
  takes: (words) =>
    isLoss(words, parts) && (words.length === 1 || (words.length === 2 && has(parts.selectors, words[1]))),
});

/** Codes of frozen features with so many bits; the sampler is `balanced`. */
export const codes = (parts: Parts, bits: number): Comparison => ({
  report: "codes-mobilenetv2",
  protocol: "P1",
  takes: (words) => isLoss(words, parts) && words.length === 2 && words[1] === `bits ${bits}`,
});

/** Embeddings of 2 dimensions straight from pixels, by `embedding-net`. */
export const pixels = (parts: Parts): Comparison => ({
  report: "fashion-mnist",
  protocol: "official",
  takes: (words) => isLoss(words, parts) && has(parts.samplers, words[1]),
});

/** One row of the table. */
export interface Choice {
  need: string;
  loss: string;
  /** Absent where the loss takes whole batches or the sampler gives pairs or triplets. */
  selector?: string;
  sampler: string;
  /** The comparison, the training's label in it, and the metric that the need is about. */
  measured: [Comparison, string, "map" | "knn_accuracy"];
}

/** All rows, the most frequent needs first. */
export function choicesOf(parts: Parts): Choice[] {
  const frozen = embeddings(parts);
  return [
    {
      need: "Rank images by class, with real-valued embeddings",
      loss: "facenet",
      selector: "mean-negative",
      sampler: "balanced",
      measured: [frozen, "facenet · mean-negative", "map"],
    },
    {
      need: "The same, with a published selector",
      loss: "facenet",
      selector: "semihard-negative",
      sampler: "balanced",
      measured: [frozen, "facenet · semihard-negative", "map"],
    },
    {
      need: "The same, with neither a margin nor a selector to choose",
      loss: "supcon",
      sampler: "balanced",
      measured: [frozen, "supcon", "map"],
    },
    {
      need: "Triplets without a margin to choose",
      loss: "hoffer-ailon",
      selector: "all",
      sampler: "balanced",
      measured: [frozen, "hoffer-ailon · all", "map"],
    },
    {
      need: "Pairs (siamese training), with hard negatives",
      loss: "contrastive",
      selector: "hard-negative",
      sampler: "balanced",
      measured: [frozen, "contrastive · hard-negative", "map"],
    },
    {
      need: "The class of an image by its nearest neighbours",
      loss: "identification-verification",
      selector: "hard-negative",
      sampler: "balanced",
      measured: [frozen, "identification-verification · hard-negative", "knn_accuracy"],
    },
    {
      need: "Binary codes of 24 bits or more, with neither pairs nor triplets",
      loss: "orthohash",
      sampler: "balanced",
      measured: [codes(parts, 48), "orthohash · bits 48", "map"],
    },
    {
      need: "Binary codes of 24 bits or more, by triplets",
      loss: "dtsh",
      selector: "all",
      sampler: "balanced",
      measured: [codes(parts, 48), "dtsh · bits 48", "map"],
    },
    {
      need: "Binary codes of 12 bits",
      loss: "orthohash",
      sampler: "balanced",
      measured: [codes(parts, 12), "orthohash · bits 12", "map"],
    },
    {
      need: "Train on pixels (network `embedding-net`)",
      loss: "contrastive",
      selector: "hard-negative",
      sampler: "balanced",
      measured: [pixels(parts), "contrastive · balanced · hard-negative", "map"],
    },
    {
      need: "A baseline: a siamese network on random pairs",
      loss: "contrastive",
      sampler: "random-pairs",
      measured: [pixels(parts), "contrastive · random-pairs", "map"],
    },
    {
      need: "A baseline: a triplet network on random triplets",
      loss: "facenet",
      sampler: "random-triplets",
      measured: [pixels(parts), "facenet · random-triplets", "map"],
    },
    {
      need: "A baseline: a classifier",
      loss: "softmax",
      sampler: "shuffled",
      measured: [pixels(parts), "softmax · shuffled", "map"],
    },
  ];
}

const METRICS = { map: "mAP", knn_accuracy: "kNN accuracy" };
/** A part's name with a link to its section. */
export const link = (name: string): string => `[\`${name}\`](#${name})`;

/** The table in Markdown. */
export function choicesTable(parts: Parts): string {
  const rows = choicesOf(parts).map(({ need, loss, selector, sampler, measured }) => {
    const [comparison, label, metric] = measured;
    const [first] = wordsOf(label);
    if (first !== loss)
      throw new Error(
        `docs/generate/choices.ts: "${need}" takes ${loss}, but measures ${label}. Correct it.`,
      );
    const report = `[${comparison.report}](../reports/${comparison.report}/report.md)`;
    const measure = `${METRICS[metric]} ${rankOf(comparison, label, metric)} in ${report}`;
    return `| ${need} | ${link(loss)} | ${selector ? link(selector) : "–"} | ${link(sampler)} | ${measure} |`;
  });
  return ["| need | loss | selector | sampler | measured |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}
