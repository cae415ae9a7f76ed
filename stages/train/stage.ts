/** train: a head on frozen features, or a network on pixels, by one loss and one selector. */
import * as tf from "@tensorflow/tfjs-core";
import { defineStage, UserError } from "../../runner/stage.ts";
import { readChoice } from "../shared/artifacts/choice.ts";
import { saveHead, saveTuned } from "../shared/artifacts/head.ts";
import { type HistoryRow, writeHistory, writeTimings } from "../shared/artifacts/history.ts";
import { autoBackend, startNamed, takesGpu } from "../shared/compute/start.ts";
import { describeTuning, tuningOf } from "./backbone.ts";
import { withChoice } from "./choice.ts";
import { readTrainingData } from "./data.ts";
import { fit } from "./loop/fit.ts";
import { watchOthers } from "./loop/others.ts";
import type { Loss } from "./loss.ts";
import type { NamedMetric } from "./metric.ts";
import type { NetworkDefinition } from "./network.ts";
import type { Params } from "./params.ts";
import { recipeFor } from "./recipe.ts";
import { refusals, selectorFor } from "./selection.ts";
import { setUp } from "./setup.ts";
import { checkSeveral, checkSimilar } from "./several.ts";

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
    backbone: "../shared/backbones", // where it trains
    network: "networks",
    loss: "losses",
    selector: "selectors",
    sampler: "samplers",
    metrics: "metrics", // a list
    augment: "../shared/augmentations", // a list
  },
  refuses: refusals,
  inputs: {
    data: "vectors", // or images, for a network that takes them
    split: "split",
    views: { artifact: "vectors", optional: true }, // random views of the training images, as extract writes them
    model: { artifact: "backbone", optional: true }, // of the backbone that trains
    choice: { artifact: "choice", optional: true },
  },
  outputs: {
    model: "model/",
    history: "history.arrow",
    timings: { path: "timings.arrow", measured: true },
  },
  reusable: true,
  async run({
    inputs,
    outputs,
    progress,
    log,
    warn,
    note,
    endProcess,
    cpus,
    signal,
    checkpoint,
    ...declared
  }) {
    const choice = inputs.choice ? readChoice(inputs.choice) : undefined;
    const { params, parts } = withChoice(declared, choice);
    if (choice) log(`${choice.param} = ${choice.value}, chosen on the validation images`);
    const selector = selectorFor(parts);
    const tuning = tuningOf(params, parts);
    const small = !tuning && (parts.network.part as NetworkDefinition).takes === "features";
    const { backend, reason, fallback } = await startNamed(params.backend, "train", cpus, small, signal);
    (fallback ? warn : log)(`backend ${backend} (${reason})`);
    note("backend", backend);
    if (takesGpu(backend)) endProcess();
    note("backend_reason", reason);

    if (tuning && !inputs.model)
      throw new UserError(
        `train: the backbone ${tuning.backbone.name} trains, but its file is missing. Name it as the input "model".`,
      );
    const data = await readTrainingData(inputs, parts, params.seed, tuning);
    const { examples, train } = data;
    const recipe = recipeFor(params, parts, choice, data);
    if (examples.sets) checkSeveral(parts);
    checkSimilar(examples, train, parts.loss.part as Loss);
    const setup = await setUp(params, parts, data, selector, tuning && { tuning, model: inputs.model });
    const { network, metrics, dim, normalise } = setup;
    const others = watchOthers();
    const { best, rows, collapse } = await fit({
      ...setup,
      checkpoint,
      onResume: (step) => log(`goes on after step ${step}, from the checkpoint of an earlier try`),
      onEvaluation: (row) => log(describe(row, metrics)),
      onStep: (step) => progress(step, params.steps, "steps"),
      onCollapse: (reason) => warn(`collapsed: ${reason}.`),
      signal,
    });
    const machine = others();
    const last = rows[rows.length - 1];
    log(`best validation mAP ${best.map.toFixed(4)} at step ${best.step}; ended at step ${last.step}`);
    note("steps_per_second", Math.round((10 * last.step) / (last.selectSeconds + last.gradientSeconds)) / 10);
    const made = {
      network: parts.network.name,
      loss: parts.loss.name,
      selector: selector?.name ?? null,
      made: recipe,
    };
    const { shape: input, classes } = examples;
    const kept = { input, dim, normalise, step: best.step, validation_map: best.map, classes };
    const head = { ...made, ...kept, ...(tuning && { backbone: describeTuning(tuning) }) };
    if (network.toModel) saveTuned(outputs.model, await network.toModel(normalise), head);
    else await saveHead(outputs.model, network.model, head);
    writeTimings(outputs.timings, rows, machine);
    const names = metrics.map(({ name }) => name);
    const about = { ...made, seed: params.seed, best_step: best.step, collapse };
    writeHistory(outputs.history, rows, train.length, names, about);
    tf.disposeVariables();
  },
});
