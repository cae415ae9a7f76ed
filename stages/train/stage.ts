/** train: a head on frozen features, or a network on pixels, by one loss and one selector. */
import { defineStage, type Part, UserError } from "../../runner/stage.ts";
import { type Choice, readChoice } from "../shared/artifacts/choice.ts";
import { readExamples } from "../shared/artifacts/examples.ts";
import { saveHead } from "../shared/artifacts/head.ts";
import { type HistoryRow, writeHistory, writeTimings } from "../shared/artifacts/history.ts";
import { readSplit, retrievesItself, rowsOf } from "../shared/artifacts/split.ts";
import { random } from "../shared/compute/random.ts";
import { autoBackend, type BackendParam, startNamed } from "../shared/compute/start.ts";
import { type Recipe, recipeOf } from "../shared/runs/recipe.ts";
import { withChoice } from "./choice.ts";
import { fit } from "./loop/fit.ts";
import { watchOthers } from "./loop/others.ts";
import { lossMeter, testBatches } from "./loop/validation-loss.ts";
import type { Loss } from "./loss.ts";
import { metricsOf, type NamedMetric } from "./metric.ts";
import type { NetworkDefinition } from "./network.ts";
import type { SamplerDefinition } from "./sampler.ts";
import type { PairSelector, TripletSelector } from "./selector.ts";
import { checkSeveral, checkSimilar } from "./several.ts";

interface Params {
  dim: number;
  steps: number;
  evaluate_every: number;
  patience: number;
  normalise: "auto" | boolean;
  optimizer: "adam" | "sgd";
  learning_rate: unknown;
  validation_loss: boolean;
  backend: BackendParam;
  seed: number;
}

/** Everything that determines the result of a training. @param metadata of the vectors or images */
function recipeFor(
  { backend: _, validation_loss: __, ...params }: Params,
  parts: Record<string, Part>,
  choice: Choice | undefined,
  protocol: string,
  metadata: Record<string, unknown>,
): Recipe {
  const named = ["network", "loss", "selector", "sampler"].filter((name) => parts[name]);
  return {
    ...recipeOf(metadata),
    training: {
      ...params,
      protocol,
      ...Object.fromEntries(named.map((name) => [name, { use: parts[name].name, ...parts[name].params }])),
    },
    ...(choice && { chosen: [choice.param] }),
  };
}

/** The selector, where the loss needs one. @throws UserError when the three do not fit together */
function selectorFor(loss: Part, selector: Part | undefined, sampler: Part): Part | undefined {
  const { selects } = loss.part as Loss;
  const { gives } = sampler.part as SamplerDefinition;
  const needed = selects !== "nothing" && gives !== selects;
  if (gives && gives !== selects)
    throw new UserError(
      `train: the sampler "${sampler.name}" gives ${gives}, but the loss "${loss.name}" takes ${selects === "nothing" ? "neither pairs nor triplets" : selects}. Take the sampler "balanced".`,
    );
  if (needed && !selector)
    throw new UserError(
      `train: the loss "${loss.name}" learns from ${selects}: name a selector of ${selects}.`,
    );
  if (!needed && selector)
    throw new UserError(
      `train: the selector "${selector.name}" has nothing to choose: ${gives ? `the sampler "${sampler.name}" gives the ${gives}` : `the loss "${loss.name}" takes whole batches`}. Leave it out.`,
    );
  const chosen = (selector?.part as TripletSelector | PairSelector | undefined)?.selects;
  if (needed && chosen !== selects)
    throw new UserError(
      `train: the loss "${loss.name}" learns from ${selects}, but the selector "${selector!.name}" chooses ${chosen}. Take a selector of ${selects}.`,
    );
  return selector;
}

/** One evaluation as a line of the log. */
function describe(
  { step, loss, map, validationLoss, metrics: values }: HistoryRow,
  metrics: NamedMetric[],
): string {
  const numbers = [
    ["loss", loss],
    ...(validationLoss === undefined ? [] : [["validation loss", validationLoss]]),
    ["validation mAP", map],
    ...metrics.map(({ name }, index) => [name, values[index]]),
  ] as [string, number][];
  return `step ${step}: ${numbers.map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ")}`;
}

export default defineStage<Params>({
  params: "train",
  auto: autoBackend,
  parts: {
    network: "networks",
    loss: "losses",
    selector: "selectors",
    sampler: "samplers",
    metrics: "metrics", // a list
  },
  inputs: {
    data: "vectors", // or images, for a network that takes them
    split: "split",
    choice: { artifact: "choice", optional: true },
  },
  outputs: {
    model: "model/",
    history: "history.arrow",
    timings: { path: "timings.arrow", measured: true },
  },
  async run({ inputs, outputs, progress, log, warn, note, signal, ...declared }) {
    const choice = inputs.choice ? readChoice(inputs.choice) : undefined;
    const { params, parts } = withChoice(declared, choice);
    if (choice) log(`${choice.param} = ${choice.value}, chosen on the validation images`);
    const selector = selectorFor(parts.loss, parts.selector, parts.sampler);
    const { backend, reason } = await startNamed(params.backend, "train");
    log(`backend ${backend} (${reason})`);
    note("backend", backend);

    const definition = parts.network.part as NetworkDefinition;
    const examples = readExamples(inputs.data, definition.takes);
    const split = readSplit(inputs.split);
    const recipe = recipeFor(params, parts, choice, split.protocol, examples.metadata);
    const train = rowsOf(split, "train", examples.ids, inputs.data);
    const validation = rowsOf(split, "validation", examples.ids, inputs.data);
    const several = examples.sets !== undefined;
    if (several) {
      checkSeveral(parts);
      checkSimilar(examples, train);
    }
    const { seed, dim } = params;
    // As many as validate: enough to rank by, and cheap to embed at every evaluation.
    const itself = retrievesItself(split.protocol);
    const database = itself
      ? validation
      : random(seed, "validation database").shuffle(train.slice()).subarray(0, validation.length);
    const network = definition.build({
      input: examples.shape,
      dim,
      params: parts.network.params,
      seed,
      random: random(seed, "dropout"),
    });
    const lossPart = parts.loss.part as Loss;
    const normalise = params.normalise === "auto" ? lossPart.normalise : params.normalise;
    const startLoss = (selecting: string) =>
      lossPart.start({
        dim,
        classes: examples.classes.length,
        params: parts.loss.params,
        random: random(seed, "loss"),
        selector: selector && {
          part: selector.part as TripletSelector | PairSelector,
          params: selector.params,
          random: random(seed, selecting),
        },
      });
    const loss = startLoss("selector");
    const metrics = metricsOf(parts, loss.counters.correct !== undefined);
    const sampler = parts.sampler.part as SamplerDefinition;
    const labelsOf = (rows: Uint32Array) => Uint16Array.from(rows, (row) => examples.labels[row]);
    const next = sampler.start(labelsOf(train), parts.sampler.params, random(seed, "sampler"), several);
    const batches = params.validation_loss
      ? testBatches(
          sampler,
          labelsOf(validation),
          parts.sampler.params,
          random(seed, "validation sampler"),
          several,
        )
      : [];
    const others = watchOthers();
    const fitted = await fit({
      examples,
      train,
      validation,
      database,
      itself,
      network,
      dim,
      loss,
      chooses: lossPart.selects !== "nothing",
      normalise,
      codes: lossPart.codes ?? false,
      next,
      lossParams: parts.loss.params,
      learningRate: params.learning_rate,
      optimizer: params.optimizer,
      steps: params.steps,
      evaluateEvery: params.evaluate_every,
      patience: params.patience,
      metrics,
      validationLoss: params.validation_loss
        ? lossMeter(batches, dim, () => startLoss("validation selector"), examples.classes.length)
        : undefined,
      onEvaluation: (row) => log(describe(row, metrics)),
      onStep: (step) => progress(step, params.steps, "steps"),
      onCollapse: (reason) => warn(`collapsed: ${reason}.`),
      signal,
    });
    const machine = others();
    const { best, rows } = fitted;
    const last = rows[rows.length - 1];
    log(`best validation mAP ${best.map.toFixed(4)} at step ${best.step}; ended at step ${last.step}`);
    note("steps_per_second", Math.round((10 * last.step) / (last.selectSeconds + last.gradientSeconds)) / 10);
    const made = {
      network: parts.network.name,
      loss: parts.loss.name,
      selector: selector?.name ?? null,
      made: recipe,
    };
    await saveHead(outputs.model, network.model, {
      ...made,
      input: examples.shape,
      dim,
      normalise,
      step: best.step,
      validation_map: best.map,
      classes: examples.classes,
    });
    writeTimings(outputs.timings, rows, machine);
    const names = metrics.map(({ name }) => name);
    writeHistory(outputs.history, rows, train.length, names, {
      ...made,
      seed,
      best_step: best.step,
      collapse: fitted.collapse,
    });
  },
});
