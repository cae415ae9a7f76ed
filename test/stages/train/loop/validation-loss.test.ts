/** The fixed set that a loss is measured on, and the mean over it. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { lossMeter, testBatches } from "../../../../stages/train/loop/validation-loss.ts";
import contrastive from "../../../../stages/train/losses/contrastive.ts";
import facenet from "../../../../stages/train/losses/facenet.ts";
import softmax from "../../../../stages/train/losses/softmax.ts";
import balanced from "../../../../stages/train/samplers/balanced.ts";
import randomPairs from "../../../../stages/train/samplers/random-pairs.ts";
import randomTriplets from "../../../../stages/train/samplers/random-triplets.ts";
import { distance, randomRows, start } from "../helpers.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

// More images than fit into one batch of pairs or triplets.
const labels = Uint16Array.from({ length: 301 }, (_, i) => i % 3);
const rows = randomRows(random(1, "rows"), labels.length, 4, true);
const embedded = { embeddings: Float32Array.from(rows.flat()), labels };
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("the triplets of random-triplets", () => {
  const given = randomTriplets.testSet!(labels, random(2, "set")).triplets!;
  const batches = testBatches(randomTriplets, labels, {}, random(2, "set"));
  const found = lossMeter(batches, 4, () => start(facenet, 4))(embedded, [], { margin: 0.5 });
  const terms = [...labels.keys()].map((t) => {
    const [a, p, n] = [given.anchors, given.positives, given.negatives].map((of) => rows[of[t]]);
    return Math.max(0, distance(a, p) ** 2 - distance(a, n) ** 2 + 0.5);
  });
  expect(found).toBeCloseTo(mean(terms), 5);
});

test("the pairs of random-pairs", () => {
  const { positive, negative } = randomPairs.testSet!(labels, random(2, "set")).pairs!;
  const batches = testBatches(randomPairs, labels, {}, random(2, "set"));
  expect(batches.every(({ images }) => images.length <= 256)).toBe(true);
  const found = lossMeter(batches, 4, () => start(contrastive, 4))(embedded, [], { margin: 1 });
  const between = ({ first, second }: typeof positive) =>
    [...first].map((a, pair) => distance(rows[a], rows[second[pair]]));
  const terms = [
    ...between(positive).map((d) => d ** 2 / 2),
    ...between(negative).map((d) => Math.max(0, 1 - d) ** 2 / 2),
  ];
  expect(terms).toHaveLength(labels.length);
  expect(found).toBeCloseTo(mean(terms), 5);
});

test("batches of a sampler that gives neither: as many as hold all images, the same by the same seed", () => {
  const draw = (seed: number) =>
    testBatches(balanced, labels, { classes: 3, images: 10 }, random(seed, "set"));
  expect(draw(1)).toHaveLength(Math.ceil(301 / 30));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test("takes the weights that the loss has trained, and leaves no tensor behind", () => {
  const trained = start(softmax, 4, { classes: 3, seed: 5 });
  const batches = testBatches(balanced, labels, { classes: 3, images: 10 }, random(1, "set"));
  const measure = lossMeter(batches, 4, () => start(softmax, 4, { classes: 3, seed: 6 }));
  const before = tf.memory().numTensors;
  const found = measure(embedded, trained.variables, {});
  expect(tf.memory().numTensors).toBe(before);
  const values = batches.map(({ images }) =>
    tf.tidy(() => {
      const own = tf.tensor2d([...images].map((image) => rows[image]));
      return trained
        .loss(
          own,
          Int32Array.from(images, (image) => labels[image]),
          {},
        )
        .dataSync()[0];
    }),
  );
  expect(found).toBeCloseTo(mean(values), 5);
});
