/** How good embeddings of the validation images are, by the validation images alone. */
import * as tf from "@tensorflow/tfjs-core";
import { Ranking } from "../shared/retrieval.ts";

/** Neighbours that vote for a class. */
const K = 10;
/** Queries that go through one matrix product. */
const BLOCK = 250;

export interface Validation {
  /** Mean average precision, each image asked about all the others. */
  map: number;
  /** Share of images whose 10 nearest others vote for their class. */
  accuracy: number;
  /**
   * Total variance of the embeddings over their mean squared length, in [0, 1]: 0 when all images have one
   * embedding.
   */
  spread: number;
}

/**
 * Leave-one-out retrieval by Euclidean distance.
 * @param embeddings `[images, dim]`
 */
export function validate(
  embeddings: Float32Array,
  labels: Uint16Array,
  dim: number,
  classes: number,
): Validation {
  const images = labels.length;
  const lengths = new Float64Array(images);
  const mean = new Float64Array(dim);
  for (let i = 0; i < images; i++)
    for (let d = 0; d < dim; d++) {
      const value = embeddings[i * dim + d];
      lengths[i] += value * value;
      mean[d] += value / images;
    }
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / images;
  const spread = meanLength > 0 ? 1 - mean.reduce((sum, value) => sum + value * value, 0) / meanLength : 0;

  const ranking = new Ranking(labels, classes);
  const distances = new Float32Array(images);
  let map = 0;
  let right = 0;
  const columns = tf.tidy(() => tf.transpose(tf.tensor2d(embeddings, [images, dim])));
  for (let first = 0; first < images; first += BLOCK) {
    const count = Math.min(BLOCK, images - first);
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor2d(embeddings.subarray(first * dim, (first + count) * dim), [count, dim]), columns),
    );
    const products = product.dataSync() as Float32Array;
    product.dispose();
    for (let i = 0; i < count; i++) {
      const query = first + i;
      for (let j = 0; j < images; j++) distances[j] = lengths[j] - 2 * products[i * images + j];
      map += ranking.metrics(distances, labels[query], [], query).averagePrecision;
      if (ranking.vote(ranking.nearest(distances, K, query)) === labels[query]) right++;
    }
  }
  columns.dispose();
  return { map: map / images, accuracy: right / images, spread: Math.max(0, spread) };
}
