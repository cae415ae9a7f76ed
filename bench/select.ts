/**
 * Selecting and scoring: milliseconds for each selector at batches of 10 classes x 25 and x 100, 64-d (the distances
 * and the gradient's matrix included), and whole training steps (1280-512-64, Adam, batch 250) for each selector
 * against the same step without selection.
 *
 * `node bench/run.mjs select [ROUNDS]`
 */
import * as tf from "@tensorflow/tfjs-core";
import { normaliseRows } from "../stages/shared/artifacts/head.ts";
import { startBackend } from "../stages/shared/compute/backend.ts";
import { random } from "../stages/shared/compute/random.ts";
import { variablesOf } from "../stages/shared/compute/variables.ts";
import type { Loss, LossRun } from "../stages/train/loss.ts";
import adsh from "../stages/train/losses/adsh.ts";
import angular from "../stages/train/losses/angular.ts";
import circle from "../stages/train/losses/circle.ts";
import contrastive from "../stages/train/losses/contrastive.ts";
import dch from "../stages/train/losses/dch.ts";
import dpsh from "../stages/train/losses/dpsh.ts";
import dsdh from "../stages/train/losses/dsdh.ts";
import dtsh from "../stages/train/losses/dtsh.ts";
import facenet from "../stages/train/losses/facenet.ts";
import fastAp from "../stages/train/losses/fast-ap.ts";
import hofferAilon from "../stages/train/losses/hoffer-ailon.ts";
import lcdsh from "../stages/train/losses/lcdsh.ts";
import margin from "../stages/train/losses/margin.ts";
import multiSimilarity from "../stages/train/losses/multi-similarity.ts";
import ntXent from "../stages/train/losses/nt-xent.ts";
import proxyAnchor from "../stages/train/losses/proxy-anchor.ts";
import rankedList from "../stages/train/losses/ranked-list.ts";
import softMargin from "../stages/train/losses/soft-margin.ts";
import softmax from "../stages/train/losses/softmax.ts";
import supcon from "../stages/train/losses/supcon.ts";
import tupletMargin from "../stages/train/losses/tuplet-margin.ts";
import mlp from "../stages/train/networks/mlp.ts";
import type { PairSelector, TripletSelector } from "../stages/train/selector.ts";
import all from "../stages/train/selectors/all.ts";
import allPositive from "../stages/train/selectors/all-positive.ts";
import angularTriplets from "../stages/train/selectors/angular-triplets.ts";
import batchEasyHard from "../stages/train/selectors/batch-easy-hard.ts";
import batchHard from "../stages/train/selectors/batch-hard.ts";
import distanceWeighted from "../stages/train/selectors/distance-weighted.ts";
import easyPositive from "../stages/train/selectors/easy-positive.ts";
import hardNegative from "../stages/train/selectors/hard-negative.ts";
import hardestNegative from "../stages/train/selectors/hardest-negative.ts";
import hdc from "../stages/train/selectors/hdc.ts";
import meanNegative from "../stages/train/selectors/mean-negative.ts";
import multiSimilarityPairs from "../stages/train/selectors/multi-similarity-pairs.ts";
import pairMargin from "../stages/train/selectors/pair-margin.ts";
import randomNegative from "../stages/train/selectors/random-negative.ts";
import semihardNegative from "../stages/train/selectors/semihard-negative.ts";
import tripletMargin from "../stages/train/selectors/triplet-margin.ts";

const DIM = 64;
const FEATURES = 1280;
const CLASSES = 10;
const rounds = Number(process.argv[2] ?? 30);

interface Entry {
  name: string;
  loss: Loss;
  selector?: TripletSelector | PairSelector;
  selectorParams?: Record<string, unknown>;
  /** Milliseconds to reach at batch 250 and at batch 1,000. */
  limits?: [number, number?];
  /** It lists its triplets, too many at batch 1,000. */
  lists?: boolean;
}

const triplets: [string, TripletSelector, [number, number?]][] = [
  ["all", all, [3, 150]],
  ["hardest-negative", hardestNegative, [3]],
  ["random-negative", randomNegative, [3]],
  ["semihard-negative", semihardNegative, [3]],
  ["batch-hard", batchHard, [3]],
  ["distance-weighted", distanceWeighted, [3]],
  ["easy-positive", easyPositive, [3]],
  ["mean-negative", meanNegative, [3]],
];

const ENTRIES: Entry[] = [
  ...triplets.map(([name, selector, limits]) => ({
    name: `facenet, ${name}`,
    loss: facenet,
    selector,
    limits,
  })),
  { name: "hoffer-ailon, all", loss: hofferAilon, selector: all, limits: [3] },
  { name: "soft-margin, all", loss: softMargin, selector: all, limits: [3] },
  { name: "dtsh, all", loss: dtsh, selector: all, limits: [5] },
  { name: "dpsh", loss: dpsh },
  { name: "contrastive, all-positive", loss: contrastive, selector: allPositive, limits: [3] },
  {
    name: "contrastive, all pairs",
    loss: contrastive,
    selector: allPositive,
    selectorParams: { balanced: false },
    limits: [3],
  },
  { name: "contrastive, hard-negative", loss: contrastive, selector: hardNegative, limits: [3] },
  ...(
    [
      ["hdc", hdc],
      ["multi-similarity-pairs", multiSimilarityPairs],
      ["pair-margin", pairMargin],
    ] as const
  ).map(([name, selector]) => ({ name: `contrastive, ${name}`, loss: contrastive, selector })),
  ...(
    [
      ["angular-triplets", angularTriplets],
      ["batch-easy-hard", batchEasyHard],
      ["triplet-margin", tripletMargin],
    ] as const
  ).map(([name, selector]) => ({ name: `facenet, ${name}`, loss: facenet, lists: true, selector })),
  { name: "margin, distance-weighted", loss: margin, selector: distanceWeighted },
  ...(
    [
      ["adsh", adsh],
      ["angular", angular],
      ["circle", circle],
      ["fast-ap", fastAp],
      ["nt-xent", ntXent],
      ["ranked-list", rankedList],
      ["tuplet-margin", tupletMargin],
      ["dch", dch],
      ["dsdh", dsdh],
      ["lcdsh", lcdsh],
    ] as const
  ).map(([name, loss]) => ({ name, loss: loss as Loss })),
  { name: "multi-similarity", loss: multiSimilarity, limits: [3] },
  { name: "supcon", loss: supcon },
  { name: "proxy-anchor", loss: proxyAnchor },
  { name: "softmax", loss: softmax },
];

const defaultsOf = (part: Loss | TripletSelector | PairSelector) =>
  Object.fromEntries(Object.entries(part.params ?? {}).map(([name, schema]) => [name, schema.default]));

function begin({ loss, selector, selectorParams }: Entry): LossRun {
  return loss.start({
    dim: DIM,
    classes: CLASSES,
    params: defaultsOf(loss),
    random: random(1, "loss"),
    selector: selector && {
      part: selector,
      params: { ...defaultsOf(selector), ...selectorParams },
      random: random(1, "selector"),
    },
  });
}

/** Clusters on the unit sphere that overlap, as embeddings do in the middle of training. */
function clusters(size: number, dim: number): { rows: tf.Tensor2D; labels: Int32Array } {
  const stream = random(1, "clusters");
  const centres = Float32Array.from({ length: CLASSES * dim }, () => stream.normal());
  const labels = Int32Array.from({ length: size }, (_, i) => Math.floor((i * CLASSES) / size));
  const values = Float32Array.from(
    { length: size * dim },
    (_, at) => centres[labels[Math.floor(at / dim)] * dim + (at % dim)] + 1.3 * stream.normal(),
  );
  return { rows: normaliseRows(tf.tensor2d(values, [size, dim])), labels };
}

/** The rest that a step of a training gives a loss: the same images each time. */
const givenOf = (labels: Int32Array) => ({ images: labels.map((_, image) => image), share: 0 });

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Milliseconds of each task, taken in turns so that a busy machine is unfair to none. */
function inTurns(tasks: (() => number)[], times: number): number[][] {
  const found: number[][] = tasks.map(() => []);
  for (let round = -2; round < times; round++)
    for (const [index, task] of tasks.entries()) {
      const milliseconds = task();
      if (round >= 0) found[index].push(milliseconds); // two rounds to warm up
    }
  return found;
}

const cell = (value: string, width = 11) => value.padStart(width);
const title = (name: string) => name.padEnd(30);

await startBackend("wasm");

for (const [index, images] of [25, 100].entries()) {
  const size = CLASSES * images;
  const count = (CLASSES * images * (images - 1)) / 2;
  const { rows, labels } = clusters(size, DIM);
  console.log(
    `\nSelecting and scoring, batch ${size}: ${count} positive pairs, ${count * (size - images)} triplets`,
  );
  console.log(
    title("") + ["median ms", "best ms", "limit ms", "selected"].map((head) => cell(head)).join(""),
  );
  const entries = ENTRIES.filter(({ lists }) => !lists || images <= 25);
  const runs = entries.map(begin);
  const times = inTurns(
    runs.map((run, entry) => () => {
      const before = run.counters.selectSeconds;
      tf.tidy(() => void run.loss(rows, labels, defaultsOf(entries[entry].loss), givenOf(labels)));
      return (run.counters.selectSeconds - before) * 1000;
    }),
    images > 25 ? Math.ceil(rounds / 5) : rounds,
  );
  for (const [entry, { name, limits }] of entries.entries()) {
    const selected = runs[entry].counters.selected / (times[entry].length + 2);
    console.log(
      title(name) +
        cell(median(times[entry]).toFixed(2)) +
        cell(Math.min(...times[entry]).toFixed(2)) +
        cell(String(limits?.[index] ?? "-")) +
        cell(String(Math.round(selected))),
    );
  }
}

{
  const { rows, labels } = clusters(250, FEATURES);
  const plain: Entry = {
    name: "without selection",
    // As cheap a loss as there is: the mean of the squares.
    loss: {
      normalise: true,
      selects: "nothing",
      start: () => ({
        variables: [],
        counters: { selected: 0, active: 0, selectSeconds: 0 },
        loss: (embeddings) => tf.mean(tf.square(embeddings)) as tf.Scalar,
      }),
    },
  };
  const entries = [plain, ...ENTRIES];
  const times = inTurns(
    entries.map((entry) => {
      const run = begin(entry);
      const network = mlp.build({
        input: [FEATURES],
        dim: DIM,
        params: { hidden: [512], dropout: 0.5 },
        seed: 1,
        random: random(1, "dropout"),
      });
      const weights = variablesOf(network.model.trainableWeights);
      const variables = [...weights, ...run.variables];
      const optimizer = tf.train.adam(1e-3);
      const params = defaultsOf(entry.loss);
      return () => {
        const began = performance.now();
        tf.tidy(() => {
          const { grads } = tf.variableGrads(() => {
            const embeddings = network.train(rows);
            const scaled = entry.loss.normalise ? normaliseRows(embeddings) : embeddings;
            return run.loss(scaled, labels, params, givenOf(labels));
          }, variables);
          optimizer.applyGradients(grads as never);
        });
        return performance.now() - began;
      };
    }),
    rounds,
  );
  console.log("\nWhole steps (1280-512-64, Adam, batch 250)");
  console.log(title("") + ["median ms", "best ms", "steps/s", "ratio"].map((head) => cell(head)).join(""));
  for (const [index, { name }] of entries.entries()) {
    // A step's ratio to the one without selection of the same round: the machine was as busy for both.
    const ratio = median(times[index].map((time, round) => time / times[0][round]));
    console.log(
      title(name) +
        cell(median(times[index]).toFixed(1)) +
        cell(Math.min(...times[index]).toFixed(1)) +
        cell((1000 / median(times[index])).toFixed(1)) +
        cell(index === 0 ? "-" : ratio.toFixed(2)),
    );
  }
  console.log("limit of the ratio: 1.25");
}
