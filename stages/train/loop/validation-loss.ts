/** The loss on validation images: the same pairs, triplets or batches at every evaluation. */
import * as tf from "@tensorflow/tfjs-core";
import { expandSets } from "../../shared/artifacts/label-sets.ts";
import type { Random } from "../../shared/compute/random.ts";
import type { LossRun } from "../loss.ts";
import type { SampledBatch, SamplerDefinition, SamplerFacts } from "../sampler.ts";
import type { Given, PairSet, Pairs, Triplets } from "../scoring/batch.ts";
import type { Embedded } from "./validate.ts";

/** Pairs or triplets of one batch. */
const TOGETHER = 128;

/**
 * The batches that a loss is measured on: the sampler's fixed set of pairs or triplets, one per image; otherwise so many
 * of its batches that they hold as many images.
 * @param labels `[images]` of the validation images
 */
export function testBatches(
  sampler: SamplerDefinition,
  labels: Uint16Array,
  params: Record<string, unknown>,
  random: Random,
  facts?: SamplerFacts,
): SampledBatch[] {
  if (sampler.testSet) return inBatches(sampler.testSet(labels, random));
  const next = sampler.start(labels, params, random, facts);
  const batches: SampledBatch[] = [];
  for (let images = 0; images < labels.length; images += batches.at(-1)!.images.length) batches.push(next());
  return batches;
}

/** Pairs and triplets of images as batches of these images: no batch is larger than one of training. */
function inBatches({ pairs, triplets }: Given): SampledBatch[] {
  const batches: SampledBatch[] = [];
  if (triplets)
    for (let start = 0; start < triplets.count; start += TOGETHER)
      batches.push(tripletBatch(triplets, start, Math.min(triplets.count, start + TOGETHER)));
  if (pairs) {
    const most = Math.max(pairs.positive.count, pairs.negative.count);
    for (let start = 0; start < most; start += TOGETHER / 2) batches.push(pairBatch(pairs, start));
  }
  return batches;
}

function tripletBatch({ anchors, positives, negatives }: Triplets, start: number, end: number): SampledBatch {
  const count = end - start;
  const rows = Int32Array.from({ length: count }, (_, k) => k);
  return {
    images: Int32Array.from([anchors, positives, negatives].flatMap((of) => [...of.subarray(start, end)])),
    triplets: {
      anchors: rows,
      positives: rows.map((k) => count + k),
      negatives: rows.map((k) => 2 * count + k),
      count,
    },
  };
}

/** As many positive and negative pairs, or the rest of them. */
function pairBatch(pairs: PairSet, start: number): SampledBatch {
  const images: number[] = [];
  const take = ({ first, second, count }: Pairs): Pairs => {
    const end = Math.min(count, start + TOGETHER / 2);
    const at = images.length;
    const rows = Int32Array.from({ length: Math.max(0, end - start) }, (_, k) => at + 2 * k);
    for (let pair = start; pair < end; pair++) images.push(first[pair], second[pair]);
    return { first: rows, second: rows.map((row) => row + 1), count: rows.length };
  };
  const positive = take(pairs.positive);
  const negative = take(pairs.negative);
  return { images: Int32Array.from(images), pairs: { positive, negative } };
}

/**
 * Measures a loss on fixed batches.
 * @param start starts the loss again, with random streams of its own: a selector then draws the same at every evaluation,
 *   and takes no draws from the training
 * @param classes where images may have several labels
 * @param examplesOf the network's input for images
 * @returns a function of the images' embeddings, the weights that the loss has trained, and its params: the mean
 */
export function lossMeter(
  batches: SampledBatch[],
  dim: number,
  start: () => LossRun,
  classes = 0,
  examplesOf?: (images: Int32Array) => Given["examples"],
) {
  return (
    { embeddings, labels, sets }: Embedded,
    trained: tf.Variable[],
    params: Record<string, unknown>,
  ): number => {
    // In a scope, which disposes of the tensors that initialise the weights.
    tf.engine().startScope();
    const run = start();
    tf.engine().endScope();
    for (const [index, variable] of run.variables.entries()) variable.assign(trained[index]);
    let sum = 0;
    let images = 0;
    for (const drawn of batches) {
      const size = drawn.images.length;
      const rows = new Float32Array(size * dim);
      for (const [row, image] of drawn.images.entries())
        rows.set(embeddings.subarray(image * dim, (image + 1) * dim), row * dim);
      const value = tf.tidy(() => {
        const own = Int32Array.from(drawn.images, (image) => labels[image]);
        const given = {
          ...drawn,
          ...(sets && { labelSets: expandSets(sets, drawn.images, classes) }),
          get examples() {
            return examplesOf?.(drawn.images); // few losses ask for it
          },
        };
        return run.loss(tf.tensor2d(rows, [size, dim]), own, params, given).dataSync()[0];
      });
      sum += value * size;
      images += size;
    }
    tf.dispose(run.variables);
    return sum / images;
  };
}
