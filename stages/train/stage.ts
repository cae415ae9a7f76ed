/** train: a head on frozen features, or a network on pixels, by one loss and one selector. */
import { Float32, Float64, Uint32 } from "apache-arrow";
import { defineStage, type Part, UserError } from "../../runner/stage.ts";
import { readJson } from "../shared/artifacts.ts";
import { type BackendName, startBackend } from "../shared/compute.ts";
import { readExamples } from "../shared/examples.ts";
import { saveHead } from "../shared/model.ts";
import { random } from "../shared/random.ts";
import { readSplit, rowsOf } from "../shared/splits.ts";
import { writeTable } from "../shared/tables.ts";
import { type Fitted, fit } from "./fit.ts";
import type { Loss } from "./loss.ts";
import type { NetworkDefinition } from "./network.ts";
import type { SamplerDefinition } from "./sampler.ts";
import type { PairSelector, TripletSelector } from "./selector.ts";

interface Params {
  dim: number;
  steps: number;
  evaluate_every: number;
  patience: number;
  normalise: "auto" | boolean;
  optimizer: "adam" | "sgd";
  learning_rate: unknown;
  backend: BackendName;
  seed: number;
}

interface Choice {
  param: string;
  value: unknown;
}

/** Puts what `select` chose in the place of the param it names, as `loss.margin`. */
function apply(choice: Choice, parts: Record<string, Part>, params: Params): string {
  const [head, name] = choice.param.split(".");
  const owner = name === undefined ? (params as unknown as Record<string, unknown>) : parts[head]?.params;
  const key = name ?? head;
  if (!owner || !(key in owner))
    throw new UserError(
      `train: the input "choice" sets ${choice.param}, but there is no such param here. Leave the input out for this loss.`,
    );
  owner[key] = choice.value;
  return `${choice.param} = ${choice.value}, chosen on the validation images`;
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

function writeRows({ rows, collapse }: Fitted, paths: Record<string, string>, images: number, made: object) {
  const [whole, single, double] = [new Uint32(), new Float32(), new Float64()];
  writeTable(
    paths.history,
    "history",
    {
      step: whole,
      epoch: single,
      images: double,
      loss: single,
      active: single,
      triplets: double,
      spread: single,
      validation_map: single,
      validation_accuracy: single,
    },
    rows.length,
    {
      step: Uint32Array.from(rows, (row) => row.step),
      epoch: Float32Array.from(rows, (row) => row.images / images),
      images: Float64Array.from(rows, (row) => row.images),
      loss: Float32Array.from(rows, (row) => row.loss),
      active: Float32Array.from(rows, (row) => row.active),
      triplets: Float64Array.from(rows, (row) => row.triplets),
      spread: Float32Array.from(rows, (row) => row.spread),
      validation_map: Float32Array.from(rows, (row) => row.map),
      validation_accuracy: Float32Array.from(rows, (row) => row.accuracy),
    },
    { ...made, collapse },
  );
  writeTable(
    paths.timings,
    "timings",
    { step: whole, select_seconds: double, gradient_seconds: double, total_seconds: double },
    rows.length,
    {
      step: Uint32Array.from(rows, (row) => row.step),
      select_seconds: Float64Array.from(rows, (row) => row.selectSeconds),
      gradient_seconds: Float64Array.from(rows, (row) => row.gradientSeconds),
      total_seconds: Float64Array.from(rows, (row) => row.totalSeconds),
    },
  );
}

export default defineStage<Params>({
  params: "train",
  parts: { network: "networks", loss: "losses", selector: "selectors", sampler: "samplers" },
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
  async run({ params, parts, inputs, outputs, progress, log, warn, note, signal }) {
    if (inputs.choice) log(apply(readJson<Choice>(inputs.choice, "choice"), parts, params));
    const selector = selectorFor(parts.loss, parts.selector, parts.sampler);
    const { backend, reason } = await startBackend(params.backend);
    log(`backend ${backend} (${reason})`);
    note("backend", backend);

    const definition = parts.network.part as NetworkDefinition;
    const examples = readExamples(inputs.data, definition.takes);
    const split = readSplit(inputs.split);
    const train = rowsOf(split, "train", examples.ids, inputs.data);
    const validation = rowsOf(split, "validation", examples.ids, inputs.data);
    const { seed, dim } = params;
    // As many as validate: enough to rank by, and cheap to embed at every evaluation.
    const database = random(seed, "validation database")
      .shuffle(train.slice())
      .subarray(0, validation.length);
    const network = definition.build({
      input: examples.shape,
      dim,
      params: parts.network.params,
      seed,
      random: random(seed, "dropout"),
    });
    const lossPart = parts.loss.part as Loss;
    const normalise = params.normalise === "auto" ? lossPart.normalise : params.normalise;
    const loss = lossPart.start({
      dim,
      classes: examples.classes.length,
      random: random(seed, "loss"),
      selector: selector && {
        part: selector.part as TripletSelector | PairSelector,
        params: selector.params,
        random: random(seed, "selector"),
      },
    });
    const next = (parts.sampler.part as SamplerDefinition).start(
      Uint16Array.from(train, (row) => examples.labels[row]),
      parts.sampler.params,
      random(seed, "sampler"),
    );
    const fitted = await fit({
      examples,
      train,
      validation,
      database,
      network,
      dim,
      loss,
      normalise,
      codes: lossPart.codes ?? false,
      next,
      lossParams: parts.loss.params,
      learningRate: params.learning_rate,
      optimizer: params.optimizer,
      steps: params.steps,
      evaluateEvery: params.evaluate_every,
      patience: params.patience,
      onStep: (step) => progress(step, params.steps, "steps"),
      onCollapse: (reason) => warn(`collapsed: ${reason}.`),
      signal,
    });
    const { best, rows } = fitted;
    const last = rows[rows.length - 1];
    log(`best validation mAP ${best.map.toFixed(4)} at step ${best.step}; ended at step ${last.step}`);
    note("steps_per_second", Math.round((10 * last.step) / (last.selectSeconds + last.gradientSeconds)) / 10);
    const made = {
      network: parts.network.name,
      loss: parts.loss.name,
      selector: selector?.name ?? null,
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
    writeRows(fitted, outputs, train.length, {
      ...made,
      sampler: parts.sampler.name,
      seed,
      params: { loss: parts.loss.params, selector: selector?.params ?? {}, network: parts.network.params },
      best_step: best.step,
    });
  },
});
