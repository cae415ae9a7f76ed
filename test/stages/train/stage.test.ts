import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { numbers, readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import type { Recipe } from "../../../stages/shared/runs/recipe.ts";
import { runStage } from "../../run-stage.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const blobs = { classes: 4, perClass: 40, dim: 16, noise: 1.2 };
let data: string;
let split: string;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "deephash-train-"));
  data = join(folder, "features.arrow");
  split = join(folder, "split.arrow");
  writeBlobs(data, blobs);
  writeBlobSplit(split, blobs);
});

const quick = {
  network: { use: "mlp", hidden: [32], dropout: 0.2 },
  loss: { use: "facenet", margin: 0.5 },
  selector: "semihard-negative",
  sampler: { use: "balanced", classes: 4, images: 8 },
  dim: 8,
  steps: 60,
  evaluate_every: 20,
};
const train = (params: object = {}, inputs: object = {}) =>
  runStage("train", { params: { ...quick, ...params }, inputs: { data, split, ...inputs } });
const bytes = (path: string) => readFileSync(path).toString("base64");

describe("train", () => {
  it("learns: the validation mAP rises, and embed gives the embedding that was evaluated", async () => {
    const raw = await train({ steps: 1, evaluate_every: 1 });
    const untrained = numbers<Float32Array>(readTable(raw.outputs.history, "history"), "validation_map")[0];
    const { outputs } = await train();
    const history = readTable(outputs.history, "history");
    const maps = [...numbers<Float32Array>(history, "validation_map")];
    expect(numbers(history, "step")).toEqual(Uint32Array.from([20, 40, 60]));
    expect([...numbers<Float64Array>(history, "images")]).toEqual([640, 1280, 1920]);
    expect(maps[2]).toBeGreaterThan(untrained + 0.1);
    const head = JSON.parse(readFileSync(join(outputs.model, "head.json"), "utf8"));
    expect(head.validation_map).toBeCloseTo(Math.max(...maps), 6);
    const embedded = await runStage("embed", { inputs: { data, model: outputs.model } });
    const vectors = readVectors(embedded.outputs.embeddings);
    expect([vectors.rows, vectors.dim]).toEqual([160, 8]);
    for (let row = 0; row < vectors.rows; row++) {
      const own = vectors.values.subarray(row * 8, row * 8 + 8);
      expect(own.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    }
  });

  it("leaves embeddings as long as they are when asked to", async () => {
    const { outputs } = await train({ steps: 20, normalise: false });
    const embedded = await runStage("embed", { inputs: { data, model: outputs.model } });
    const { values } = readVectors(embedded.outputs.embeddings);
    const length = Math.hypot(...values.subarray(0, 8));
    expect(Math.abs(length - 1)).toBeGreaterThan(0.01);
  });

  it("gives the same bytes for the same seed, others for another", async () => {
    const [first, again, other] = [await train(), await train(), await train({ seed: 2 })];
    for (const file of ["history", "model"] as const) {
      const read = (run: typeof first) =>
        file === "model" ? bytes(join(run.outputs.model, "weights.bin")) : bytes(run.outputs.history);
      expect(read(again)).toBe(read(first));
      expect(read(other)).not.toBe(read(first));
    }
  });

  it("keeps the weights of the best evaluation and stops when none gets better", async () => {
    // A rate this high takes the network apart after it has found something.
    const { outputs, log } = await train({ learning_rate: 0.3, steps: 400, patience: 2, optimizer: "sgd" });
    const history = readTable(outputs.history, "history");
    const maps = [...numbers<Float32Array>(history, "validation_map")];
    const best = maps.indexOf(Math.max(...maps));
    expect(maps.length - 1 - best).toBeLessThanOrEqual(2);
    expect(maps.length).toBeLessThan(20);
    expect(log.join("\n")).toContain(`at step ${(best + 1) * 20}`);
  });

  it("takes the param that validation chose", async () => {
    const choice = join(mkdtempSync(join(tmpdir(), "deephash-choice-")), "choice.json");
    const chosen = (param: string) => {
      const value = { param, value: 0.9, metric: "validation_map" };
      writeFileSync(
        choice,
        JSON.stringify({ ...value, candidates: [{ value: 0.9, score: 0.5, id: "tune[margin=0.9]" }] }),
      );
    };
    chosen("loss.margin");
    const { outputs } = await train({ steps: 20 }, { choice });
    const made = readMetadata(readTable(outputs.history, "history")) as { made: Recipe };
    expect(made.made.training!.loss).toEqual({ use: "facenet", margin: 0.9 });
    expect(made.made.chosen).toEqual(["loss.margin"]);
    chosen("loss.margn");
    await expect(train({ steps: 20 }, { choice })).rejects.toThrow(
      'train: the input "choice" sets loss.margn, but there is no such param here.',
    );
  });

  it("says when it collapses", async () => {
    // Features that are all the same leave nothing to tell apart.
    const folder = mkdtempSync(join(tmpdir(), "deephash-collapse-"));
    const flat = join(folder, "features.arrow");
    writeBlobs(flat, { ...blobs, noise: 0, spread: 0 });
    const { log, outputs } = await train({ steps: 20, network: "linear" }, { data: flat });
    const { collapse } = readMetadata(readTable(outputs.history, "history")) as { collapse: string };
    expect(collapse).toContain("all embeddings are nearly one");
    expect(log.join("\n")).toContain(`collapsed: ${collapse} (step 20).`);
  });

  it("measures the loss on the same validation images each time, and trains as it would without", async () => {
    const plain = await train({ steps: 40 });
    const { outputs, log } = await train({ steps: 40, validation_loss: true });
    expect(bytes(join(outputs.model, "weights.bin"))).toBe(bytes(join(plain.outputs.model, "weights.bin")));
    const column = (path: string, name: string) => [
      ...numbers<Float32Array>(readTable(path, "history"), name),
    ];
    expect(column(outputs.history, "loss")).toEqual(column(plain.outputs.history, "loss"));
    const losses = column(outputs.history, "validation_loss");
    expect(losses).toHaveLength(2);
    expect(losses.every((loss) => loss > 0 && loss < 1)).toBe(true);
    expect(log.join("\n")).toContain(`validation loss ${losses[1].toPrecision(4)}`);
    // A network that has stopped has the same loss on the same images.
    const still = await train({ steps: 40, validation_loss: true, learning_rate: 1e-30, network: "linear" });
    const [first, second] = column(still.outputs.history, "validation_loss");
    expect(second).toBe(first);
  });

  it.each([
    ["random-triplets", "facenet", "triplets"],
    ["random-pairs", "contrastive", "pairs"],
  ])("measures it on the test set of %s", async (sampler, loss, what) => {
    const { outputs } = await train({
      steps: 20,
      sampler: { use: sampler, [what]: 10 },
      loss,
      selector: undefined,
      validation_loss: true,
    });
    const [value] = numbers<Float32Array>(readTable(outputs.history, "history"), "validation_loss");
    expect(value).toBeGreaterThan(0);
  });

  it("writes the metrics that were asked for into the history", async () => {
    const { outputs, log } = await train({ metrics: ["selected-triplets", "nonzero-triplets"] });
    const history = readTable(outputs.history, "history");
    const triplets = numbers<Float64Array>(history, "triplets");
    const selected = numbers<Float32Array>(history, "metric_selected_triplets");
    for (const row of [0, 1, 2])
      expect(selected[row]).toBeCloseTo((triplets[row] - (row ? triplets[row - 1] : 0)) / 20, 4);
    // A semihard negative has a loss.
    expect(numbers(history, "metric_nonzero_triplets")).toEqual(selected);
    expect(log.join("\n")).toContain(`nonzero-triplets ${selected[2].toPrecision(4)}`);
    const softmax = { loss: "softmax", selector: undefined };
    const classified = await train({ ...softmax, metrics: ["accuracy"] });
    const made = readTable(classified.outputs.history, "history");
    const accuracy = numbers<Float32Array>(made, "metric_accuracy");
    expect(accuracy[2]).toBeGreaterThan(accuracy[0]);
    expect(accuracy.every((share) => share > 0 && share <= 1)).toBe(true);
    // It takes neither triplets nor pairs, and none of its images is idle.
    expect([...numbers<Float64Array>(made, "triplets")]).toEqual([0, 0, 0]);
    expect([...numbers<Float32Array>(made, "active")]).toEqual([1, 1, 1]);
    await expect(train({ ...softmax, metrics: ["nonzero-triplets"] })).rejects.toThrow(
      'the metric "nonzero-triplets" measures nothing here: the loss "softmax" learns from neither pairs nor triplets.',
    );
    await expect(train({ metrics: ["accuracy"] })).rejects.toThrow('the loss "facenet" has no classifier.');
  });

  it.each([
    [{ selector: undefined }, 'the loss "facenet" learns from triplets: name a selector of triplets.'],
    [{ loss: "softmax" }, 'the selector "semihard-negative" has nothing to choose'],
    [{ loss: "contrastive" }, 'learns from pairs, but the selector "semihard-negative" chooses triplets'],
    [
      { sampler: "random-pairs" },
      'the sampler "random-pairs" gives pairs, but the loss "facenet" takes triplets',
    ],
  ])("refuses parts that do not fit together: %j", async (params, message) => {
    await expect(train(params)).rejects.toThrow(message);
  });
});

it.each([
  ["train", "fastest"],
  ["embed", "native"],
  ["encode", "native"],
])("%s takes %s where a tolerance holds, else wasm", async (name, tolerance) => {
  const { default: definition } = await import(`../../../stages/${name}/stage.ts`);
  expect(definition.auto).toEqual({ backend: { exact: "wasm", tolerance } });
  const schema = JSON.parse(readFileSync(`schemas/${name}.params.schema.json`, "utf8"));
  expect(schema.properties.backend.default).toBe("auto");
  expect(schema.properties.backend.enum).toEqual(expect.arrayContaining(["wasm", tolerance]));
});
