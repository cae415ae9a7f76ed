/** The parts of a training, made ready for its first step. */
import type { Part } from "../../runner/stage.ts";
import { categoriesOf } from "../shared/artifacts/categories.ts";
import { onHost } from "../shared/compute/host.ts";
import { type Random, random } from "../shared/compute/random.ts";
import { buildTuned, type Tuning } from "./backbone.ts";
import { labelsOf, type TrainingData } from "./data.ts";
import type { FitOptions } from "./loop/fit.ts";
import { lossMeter, testBatches } from "./loop/validation-loss.ts";
import type { Loss } from "./loss.ts";
import { metricsOf } from "./metric.ts";
import type { NetworkDefinition } from "./network.ts";
import type { Params } from "./params.ts";
import type { SamplerDefinition } from "./sampler.ts";
import type { PairSelector, TripletSelector } from "./selector.ts";

/** The parts as functions for the loop; every part draws from a stream of its own. */
type Setup = Omit<
  FitOptions,
  "checkpoint" | "onResume" | "onStep" | "onEvaluation" | "onCollapse" | "signal"
>;

/**
 * Builds the network, starts loss and sampler, and fixes the batches of the validation loss.
 * @param backbone that trains, and its file
 */
export async function setUp(
  params: Params,
  parts: Record<string, Part>,
  data: TrainingData,
  selector: Part | undefined,
  backbone: { tuning: Tuning; model: string } | undefined,
): Promise<Setup> {
  const { seed, dim } = params;
  const { streams } = data;
  const { examples } = data;
  const build = (input: number[]) =>
    (parts.network.part as NetworkDefinition).build({
      input,
      dim,
      params: parts.network.params,
      seed,
      random: streams.start("dropout"),
    });
  const network = backbone
    ? buildTuned(backbone.tuning, backbone.model, examples, build, dim)
    : build(examples.shape);
  const loss = parts.loss.part as Loss;
  const startLoss = (selecting: string, stream: (name: string) => Random) =>
    loss.start({
      dim,
      classes: examples.classes.length,
      params: parts.loss.params,
      random: stream("loss"),
      selector: selector && {
        part: selector.part as TripletSelector | PairSelector,
        params: selector.params,
        random: stream(selecting),
      },
    });
  const run = await onHost(() => startLoss("selector", (name) => streams.start(name))); // see stepper
  const drawing = (rows: Uint32Array, stream: string) => {
    const labels = labelsOf(examples, rows);
    const facts = {
      several: examples.sets !== undefined,
      categories: data.categories && categoriesOf(labels, data.categories),
    };
    return [labels, parts.sampler.params, random(seed, stream), facts] as const;
  };
  const sampler = parts.sampler.part as SamplerDefinition;
  const measure = () =>
    lossMeter(
      testBatches(sampler, ...drawing(data.validation, "validation sampler")),
      dim,
      () => startLoss("validation selector", (name) => random(seed, name)),
      examples.classes.length,
      (images) => ({
        values: examples.take(Uint32Array.from(images, (image) => data.validation[image])),
        shape: [images.length, ...examples.shape],
      }),
    );
  return {
    data,
    streams,
    network,
    dim,
    loss: run,
    lossParams: parts.loss.params,
    chooses: loss.selects !== "nothing",
    normalise: params.normalise === "auto" ? loss.normalise : params.normalise,
    codes: loss.codes ?? false,
    next: sampler.start(...drawing(data.train, "sampler")),
    learningRate: params.learning_rate,
    optimizer: params.optimizer,
    weightDecay: params.weight_decay,
    clip: params.gradient_clip,
    steps: params.steps,
    evaluateEvery: params.evaluate_every,
    patience: params.patience,
    metrics: metricsOf(parts, run.counters.correct !== undefined),
    validationLoss: params.validation_loss ? measure() : undefined,
  };
}
