/**
 * Training: a network, a loss and batches; embeddings; saved and loaded heads. The losses are in `deephash/losses`, the
 * selectors in `deephash/selectors`, data and splits in `deephash/data`.
 *
 * @example
 * const trained = await fit({ data, split, network: mlp, loss: { use: facenet, margin: 0.3 }, selector: batchHard });
 * const vectors = await embed(trained, data);
 * await save("head", trained);
 * @module
 */
import { mkdirSync } from "node:fs";
import type * as layers from "@tensorflow/tfjs-layers";
import { type Part, UserError } from "../runner/stage.ts";
import type { Examples } from "../stages/shared/artifacts/examples.ts";
import { embedRows, type Head, loadHead, saveHead } from "../stages/shared/artifacts/head.ts";
import type { HistoryRow } from "../stages/shared/artifacts/history.ts";
import { retrievesItself, rowsOf, type Split } from "../stages/shared/artifacts/split.ts";
import type { Vectors } from "../stages/shared/artifacts/vectors.ts";
import { random } from "../stages/shared/compute/random.ts";
import { type BackendParam, startNamed } from "../stages/shared/compute/start.ts";
import type { TrainingData } from "../stages/train/data.ts";
import { fit as train } from "../stages/train/loop/fit.ts";
import type { Loss } from "../stages/train/loss.ts";
import type { NetworkDefinition } from "../stages/train/network.ts";
import type { SamplerDefinition } from "../stages/train/sampler.ts";
import balanced from "../stages/train/samplers/balanced.ts";
import { selectorFor } from "../stages/train/selection.ts";
import type { PairSelector, TripletSelector } from "../stages/train/selector.ts";
import { setUp } from "../stages/train/setup.ts";
import { Streams } from "../stages/train/streams.ts";
import * as losses from "./losses.ts";
import { type Chosen, chosen } from "./params.ts";
import * as selectors from "./selectors.ts";

export { type Head, normaliseRows } from "../stages/shared/artifacts/head.ts";
export type { HistoryRow } from "../stages/shared/artifacts/history.ts";
export { type BackendName, startBackend } from "../stages/shared/compute/backend.ts";
export { defineNetwork, type Network, type NetworkDefinition } from "../stages/train/network.ts";
export { default as embeddingNet } from "../stages/train/networks/embedding-net.ts";
export { default as linear } from "../stages/train/networks/linear.ts";
export { default as mlp } from "../stages/train/networks/mlp.ts";
export { defineSampler, type SampledBatch, type SamplerDefinition } from "../stages/train/sampler.ts";
export { default as balanced } from "../stages/train/samplers/balanced.ts";
export { default as category } from "../stages/train/samplers/category.ts";
export { default as hierarchical } from "../stages/train/samplers/hierarchical.ts";
export { default as randomPairs } from "../stages/train/samplers/random-pairs.ts";
export { default as randomTriplets } from "../stages/train/samplers/random-triplets.ts";
export { default as shuffled } from "../stages/train/samplers/shuffled.ts";
export { type Chosen, defaultsOf } from "./params.ts";

/** The parts and params of a training. A part is given alone, or with its params: `{ use: facenet, margin: 0.3 }`. */
export interface FitOptions {
  data: Examples;
  split: Split;
  network: Chosen<NetworkDefinition<never>>;
  loss: Chosen<Loss<never>>;
  /** For a loss that learns from pairs or triplets, unless the sampler gives these. */
  selector?: Chosen<TripletSelector<never>> | Chosen<PairSelector<never>>;
  /** By default 10 classes with 25 images each. */
  sampler?: Chosen<SamplerDefinition<never>>;
  /** The category of each class, for the samplers `category` and `hierarchical`. */
  categories?: string[];
  /** Length of an embedding. */
  dim?: number;
  steps?: number;
  /** Steps between two evaluations on the validation images; the best weights are kept. */
  evaluateEvery?: number;
  /** Evaluations without a better validation mAP after which training ends; 0: never. */
  patience?: number;
  /** Whether embeddings get length 1; by default as the loss asks. */
  normalise?: boolean;
  /** A number, or a schedule as pipeline.yaml has it. */
  learningRate?: unknown;
  optimizer?: "adam" | "sgd";
  /** `wasm`: the same numbers on every machine; `native` is faster, by onnxruntime. */
  backend?: BackendParam;
  seed?: number;
  onStep?(step: number): void;
  onEvaluation?(row: HistoryRow): void;
  onWarning?(line: string): void;
  signal?: AbortSignal;
}

/** A network with its weights, and how it is used. */
export interface Trained {
  model: layers.LayersModel;
  head: Head;
}

/** The name of a part in this library. */
const nameOf = (part: unknown, among: object): string =>
  Object.entries(among).find(([, one]) => one === part)?.[0] ?? "custom";

const asPart = (
  { part, params }: { part: unknown; params: Record<string, unknown> },
  name: string,
): Part => ({
  name,
  part,
  params,
});

/** The rows of each role, as the stage `train` takes them. */
function dataOf(
  { data: examples, split, categories }: FitOptions,
  { part }: Part,
  seed: number,
): TrainingData {
  if ((part as SamplerDefinition).categories && categories?.length !== examples.classes.length)
    throw new UserError(
      `fit: the sampler draws by category: give categories, one for each of the ${examples.classes.length} classes.`,
    );
  const rows = (role: "train" | "validation") => rowsOf(split, role, examples.ids, "fit");
  const [trains, validation] = [rows("train"), rows("validation")];
  const itself = retrievesItself(split.protocol);
  const database = itself
    ? validation
    : random(seed, "validation database").shuffle(trains.slice()).subarray(0, validation.length);
  return {
    examples,
    categories,
    protocol: split.protocol,
    train: trains,
    validation,
    database,
    takeTraining: examples.take,
    views: {},
    streams: new Streams(seed),
    itself,
  };
}

function partsOf({ network, loss, selector, sampler = balanced }: FitOptions): Record<string, Part> {
  const taken = {
    network: chosen(network as Chosen<NetworkDefinition>, "network"),
    loss: chosen(loss as Chosen<Loss>, "loss"),
    sampler: chosen(sampler as Chosen<SamplerDefinition>, "sampler"),
  };
  return {
    network: asPart(taken.network, "network"),
    loss: asPart(taken.loss, nameOf(taken.loss.part, losses)),
    sampler: asPart(taken.sampler, "sampler"),
    ...(selector && {
      selector: ((one) => asPart(one, nameOf(one.part, selectors)))(
        chosen(selector as Chosen<TripletSelector>, "selector"),
      ),
    }),
  };
}

/**
 * Trains a network; the weights with the best validation mAP are kept. The same options give the same weights.
 * @throws UserError when loss, selector and sampler do not fit together; Error when the loss is no longer finite
 */
export async function fit(
  options: FitOptions,
): Promise<Trained & { history: HistoryRow[]; best: HistoryRow }> {
  const { data: examples, seed = 1, dim = 64, steps = 1000, backend = "wasm" } = options;
  const parts = partsOf(options);
  const { takes } = parts.network.part as NetworkDefinition;
  if ((takes === "features") !== (examples.shape.length === 1))
    throw new UserError(
      `fit: the network takes ${takes}, but an example has the shape [${examples.shape.join(", ")}].`,
    );
  const selector = selectorFor(parts);
  await startNamed(backend, "fit");
  const setup = await setUp(
    {
      dim,
      steps,
      evaluate_every: options.evaluateEvery ?? 100,
      patience: options.patience ?? 0,
      normalise: options.normalise ?? "auto",
      optimizer: options.optimizer ?? "adam",
      learning_rate: options.learningRate ?? 0.001,
      validation_loss: false,
      backend,
      seed,
    },
    parts,
    dataOf(options, parts.sampler, seed),
    selector,
    undefined, // no backbone trains
  );
  const { best, rows } = await train({
    ...setup,
    onStep: options.onStep ?? (() => {}),
    onEvaluation: options.onEvaluation ?? (() => {}),
    onResume() {},
    onCollapse: (reason) => options.onWarning?.(`collapsed: ${reason}.`),
    signal: options.signal ?? new AbortController().signal,
  });
  const head: Head = {
    network: parts.network.name,
    loss: parts.loss.name,
    selector: selector?.name ?? null,
    input: examples.shape,
    dim,
    normalise: setup.normalise,
    step: best.step,
    validation_map: best.map,
    classes: examples.classes,
  };
  return { model: setup.network.model, head, history: rows, best };
}

/** The embeddings of all examples. @throws UserError when the network was trained on examples of another shape */
export async function embed({ model, head }: Trained, examples: Examples): Promise<Vectors> {
  if (String(examples.shape) !== String(head.input))
    throw new UserError(
      `embed: the network takes [${head.input.join(", ")}], but an example has [${examples.shape.join(", ")}].`,
    );
  const all = Uint32Array.from({ length: examples.rows }, (_, row) => row);
  const values = await embedRows(model, head, examples, all);
  const { ids, labels, sets, rows, classes } = examples;
  return { ids, labels, ...(sets && { sets }), rows, classes, values, dim: head.dim, metadata: {} };
}

/** Writes a trained network into a folder, as the stage `train` does: its stages, and `index --like`, read it. */
export async function save(folder: string, { model, head }: Trained): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await saveHead(folder, model, head);
}

/** Reads a trained network: {@link save}'s, or that of a stage `train`. Call {@link startBackend} first. */
export const load = (folder: string): Promise<Trained> => loadHead(folder);
