/** Retrieval of training images by validation images: the metric of the protocols without any query. */
import * as tf from "@tensorflow/tfjs-core";
import { valuesInPlace } from "../../shared/compute/in-place.ts";
import { Ranking } from "../../shared/retrieval/ranking.ts";

/** The k of kNN. */
const K = 10;
/** Queries that go through one matrix product. */
const BLOCK = 250;

export interface Validation {
  /** Mean average precision over the whole ranking. */
  map: number;
  /** Share of validation images whose 10 nearest training images vote for their class. */
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
const signsOf = ({ embeddings, labels }: Embedded): Embedded => ({
  embeddings: embeddings.map((value) => (value > 0 ? 1 : -1)),
  labels,
});

/**
 * Retrieval of `database` by `queries`, by Euclidean distance.
 * @param codes by the Hamming distance of the embeddings' signs instead
 */
export function validate(
  embedded: { queries: Embedded; database: Embedded },
  dim: number,
  classes: number,
  codes: boolean,
): Validation {
  const [queries, database] = [embedded.queries, embedded.database].map((one) =>
    codes ? signsOf(one) : one,
  );
  const images = queries.labels.length;
  const items = database.labels.length;
  const lengths = squaredLengths(database, dim);
  const ranking = new Ranking(database.labels, classes);
  let map = 0;
  let right = 0;
  const columns = tf.tidy(() => tf.transpose(tf.tensor2d(database.embeddings, [items, dim])));
  for (let first = 0; first < images; first += BLOCK) {
    const count = Math.min(BLOCK, images - first);
    const product = tf.tidy(() => {
      const rows = queries.embeddings.subarray(first * dim, (first + count) * dim);
      return tf.matMul(tf.tensor2d(rows, [count, dim]), columns);
    });
    const products = valuesInPlace(product);
    for (let i = 0; i < count; i++) {
      const label = queries.labels[first + i];
      if (ranking.vote(ranking.measure(lengths, products, i * items, K)) === label) right++;
      map += ranking.measuredMetrics(label, []).map;
    }
    product.dispose();
  }
  columns.dispose();
  return { map: map / images, accuracy: right / images, spread: spreadOf(embedded.queries, dim) };
}
