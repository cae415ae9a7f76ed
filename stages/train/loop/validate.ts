/** Retrieval of training images by validation images: the metric of the protocols without any query. */
import * as tf from "@tensorflow/tfjs-core";
import { valuesInPlace } from "../../shared/compute/in-place.ts";
import { LabelF1 } from "../../shared/retrieval/label-f1.ts";
import { Ranking } from "../../shared/retrieval/ranking.ts";
import { SetRanking } from "../../shared/retrieval/set-ranking.ts";

/** The k of kNN. */
const K = 10;
/** Queries that go through one matrix product. */
const BLOCK = 250;

export interface Validation {
  /** Mean average precision over the whole ranking. */
  map: number;
  /**
   * Share of validation images whose 10 nearest training images vote for their class; where images may have several labels,
   * the F1 of the labels that more than half of the 10 have, over all images and labels (micro).
   */
  accuracy: number;
  /**
   * Total variance of the embeddings over their mean squared length, in [0, 1]: 0 when all images have one
   * embedding.
   */
  spread: number;
}

/** Embeddings with their labels. */
export interface Embedded {
  /** `[images, dim]` */
  embeddings: Float32Array;
  /** `[images]` */
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts). */
  sets?: Uint8Array;
}

/** Squared length of each row. */
function squaredLengths({ embeddings, labels }: Embedded, dim: number): Float64Array {
  const lengths = new Float64Array(labels.length);
  for (let i = 0; i < lengths.length; i++)
    for (let d = i * dim; d < (i + 1) * dim; d++) lengths[i] += embeddings[d] * embeddings[d];
  return lengths;
}

/** See {@link Validation.spread}. */
function spreadOf(embedded: Embedded, dim: number): number {
  const images = embedded.labels.length;
  const meanLength = squaredLengths(embedded, dim).reduce((sum, length) => sum + length, 0) / images;
  const mean = new Float64Array(dim);
  for (let i = 0; i < images * dim; i++) mean[i % dim] += embedded.embeddings[i] / images;
  if (meanLength === 0) return 0;
  return Math.max(0, 1 - mean.reduce((sum, value) => sum + value * value, 0) / meanLength);
}

/** Every value's sign as 1 or -1, that of 0 as -1: squared distances are then four times those of the codes. */
const signsOf = (embedded: Embedded): Embedded => ({
  ...embedded,
  embeddings: embedded.embeddings.map((value) => (value > 0 ? 1 : -1)),
});

/** Judges the queries one after the other. */
interface Judge {
  /** The average precision of one query. @param products dot products with it; @param at where they begin; @param skip left out, or -1 */
  map(query: number, products: Float32Array, at: number, skip: number): number;
  /** Of the queries so far, see {@link Validation.accuracy}. */
  accuracy(): number;
}

function judgeLabels(
  queries: Uint16Array,
  database: Uint16Array,
  lengths: Float64Array,
  classes: number,
): Judge {
  const ranking = new Ranking(database, classes);
  let right = 0;
  return {
    map(query, products, at, skip) {
      const label = queries[query];
      if (ranking.vote(ranking.measure(lengths, products, at, K, skip)) === label) right++;
      return ranking.measuredMetrics(label, [], skip).map;
    },
    accuracy: () => right / queries.length,
  };
}

function judgeSets(queries: Uint8Array, database: Uint8Array, lengths: Float64Array, classes: number): Judge {
  const ranking = new SetRanking(database, lengths.length, classes);
  const f1 = new LabelF1(classes);
  return {
    map(query, products, at, skip) {
      ranking.measure(lengths, products, at);
      f1.add(queries, query, ranking.vote(K, skip).set);
      return ranking.metrics(queries, query, [], skip).map;
    },
    accuracy: () => f1.micro(),
  };
}

/**
 * Retrieval of `database` by `queries`, by Euclidean distance.
 * @param codes by the Hamming distance of the embeddings' signs instead
 * @param itself whether both are the same images, and each is left out of its own ranking
 */
export function validate(
  embedded: { queries: Embedded; database: Embedded },
  dim: number,
  classes: number,
  codes: boolean,
  itself = false,
): Validation {
  const [queries, database] = [embedded.queries, embedded.database].map((one) =>
    codes ? signsOf(one) : one,
  );
  const images = queries.labels.length;
  const items = database.labels.length;
  const lengths = squaredLengths(database, dim);
  const judge = database.sets
    ? judgeSets(queries.sets!, database.sets, lengths, classes)
    : judgeLabels(queries.labels, database.labels, lengths, classes);
  let map = 0;
  const columns = tf.tidy(() => tf.transpose(tf.tensor2d(database.embeddings, [items, dim])));
  for (let first = 0; first < images; first += BLOCK) {
    const count = Math.min(BLOCK, images - first);
    const product = tf.tidy(() => {
      const rows = queries.embeddings.subarray(first * dim, (first + count) * dim);
      return tf.matMul(tf.tensor2d(rows, [count, dim]), columns);
    });
    const products = valuesInPlace(product);
    for (let i = 0; i < count; i++) {
      map += judge.map(first + i, products, i * items, itself ? first + i : -1);
    }
    product.dispose();
  }
  columns.dispose();
  return { map: map / images, accuracy: judge.accuracy(), spread: spreadOf(embedded.queries, dim) };
}
