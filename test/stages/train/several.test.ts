/** Trainings on images that have several labels each. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { numbers, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import type { SamplerDefinition } from "../../../stages/train/sampler.ts";
import { LOSSES_OF_SEVERAL, SAMPLERS_OF_SEVERAL } from "../../../stages/train/several.ts";
import { runStage } from "../../run-stage.ts";
import { columnsOf, severalImages, writeSeveral, writeSeveralSplit } from "../several.ts";
import { scratch } from "../shared/scratch.ts";

const folder = scratch();
const several = severalImages(160, { noise: 1, dim: 32 });
const data = join(folder, "features.arrow");
const split = join(folder, "split.arrow");
writeSeveral(data, several);
writeSeveralSplit(split, several);

const quick = {
  network: { use: "mlp", hidden: [32], dropout: 0 },
  loss: "contrastive",
  selector: "all-positive",
  sampler: { use: "shuffled", images: 40 },
  dim: 8,
  steps: 60,
  evaluate_every: 20,
};
const train = (params: object = {}, inputs: object = {}) =>
  runStage("train", { params: { ...quick, ...params }, inputs: { data, split, ...inputs } });
const withLoss = (loss: string, sampler = "shuffled") =>
  train({ loss, selector: undefined, sampler, steps: 2, evaluate_every: 2, validation_loss: true });
const load = async <Part>(kind: string, name: string): Promise<Part> =>
  (await import(`../../../stages/train/${kind}/${name}.ts`)).default;
const namesOf = (kind: string) =>
  readdirSync(`stages/train/${kind}`).map((file) => file.replace(/\.ts$/, ""));
const losses = await Promise.all(
  namesOf("losses").map(async (name) => ({ name, loss: await load<Loss>("losses", name) })),
);

describe("train on several labels", () => {
  it("learns, and embed passes the labels on", async () => {
    const softmax = { loss: "softmax", selector: undefined, learning_rate: 0.003 };
    const { outputs } = await train({ ...softmax, validation_loss: true });
    const history = readTable(outputs.history, "history");
    const maps = [...numbers<Float32Array>(history, "validation_map")];
    const started = await train({ ...softmax, steps: 1, evaluate_every: 1 });
    const [untrained] = numbers<Float32Array>(
      readTable(started.outputs.history, "history"),
      "validation_map",
    );
    expect(Math.max(...maps)).toBeGreaterThan(untrained + 0.1);
    const embedded = await runStage("embed", { inputs: { data, model: outputs.model } });
    expect(readVectors(embedded.outputs.embeddings).sets).toEqual(columnsOf(several).sets);
    const encoded = await runStage("encode", {
      params: { binariser: "sign" },
      inputs: { vectors: embedded.outputs.embeddings, split },
    });
    expect(readTable(encoded.outputs.codes, "codes").getChild("labels")).not.toBeNull();
    const joined = await runStage("join", {
      params: { how: "mean" },
      inputs: { vectors: [{ path: data }, { path: data }] },
    });
    expect(readVectors(joined.outputs.vectors).sets).toEqual(columnsOf(several).sets);
  });

  it.each(
    losses.filter(({ loss }) => loss.several && loss.selects === "nothing").map(({ name }) => name),
  )("%s gives a finite loss, of validation images too", async (loss) => {
    const { outputs } = await withLoss(loss);
    const history = readTable(outputs.history, "history");
    expect(Number.isFinite(numbers<Float32Array>(history, "loss")[0])).toBe(true);
    expect(Number.isFinite(numbers<Float32Array>(history, "validation_loss")[0])).toBe(true);
  });

  it.each([
    "cosface",
    "arcface",
    "proxy-anchor",
    "proxy-nca",
    "soft-triple",
    "angular",
    "n-pair",
  ])("refuses %s, which takes one label", async (loss) => {
    const message = `train: images have several labels each, but the loss "${loss}" takes one label an image. Take a loss that goes by whether two images share a label, or by each label on its own, as ${LOSSES_OF_SEVERAL.join(", ")}.`;
    await expect(withLoss(loss)).rejects.toThrow(new UserError(message));
  });

  it("names losses and samplers that do take several", async () => {
    for (const name of LOSSES_OF_SEVERAL) expect((await load<Loss>("losses", name)).several).toBe(true);
    const takes = await Promise.all(
      namesOf("samplers").map(async (name) => ({
        name,
        several: (await load<SamplerDefinition>("samplers", name)).several,
      })),
    );
    const named = takes.filter(({ several }) => several).map(({ name }) => name);
    expect(named).toEqual(expect.arrayContaining(SAMPLERS_OF_SEVERAL));
    const refused = train({ selector: undefined, loss: "contrastive", sampler: "random-pairs" });
    await expect(refused).rejects.toThrow(
      /the sampler "random-pairs" takes one label an image\. Take the sampler balanced or shuffled/,
    );
  });

  it("draws balanced batches by the lowest label, of labels that one image has alone too", async () => {
    const lists = several.lists.map((list, row) =>
      row === 3 ? [4] : list.filter((c) => c < 4 || list.length > 1),
    );
    const own = { ...several, lists: lists.map((list) => (list.length ? list : [0])) };
    const path = join(folder, "alone.arrow");
    writeSeveral(path, own);
    const { outputs } = await train({ sampler: "balanced", steps: 2 }, { data: path });
    expect(readTable(outputs.history, "history").numRows).toBe(1);
  });

  it("refuses training images of which all are similar, or none", async () => {
    const path = join(folder, "similar.arrow");
    writeSeveral(path, { ...several, lists: several.lists.map((_, row) => (row % 2 ? [0, 1] : [0, 2])) });
    await expect(train({}, { data: path })).rejects.toThrow(
      /every two training images share a label, so there is nothing to tell apart/,
    );
    const unlabelled = { loss: "bihalf-unsupervised", selector: undefined, steps: 1, evaluate_every: 1 };
    expect(Object.keys((await train(unlabelled, { data: path })).outputs)).toContain("model");
    const classes = several.lists.flatMap((_, row) => [`x${row}`, `y${row}`]);
    writeSeveral(path, { ...several, classes, lists: several.lists.map((_, row) => [2 * row, 2 * row + 1]) });
    await expect(train({}, { data: path })).rejects.toThrow(
      /no two training images share a label, so there is nothing to bring together/,
    );
  });

  it("gives the bytes of a single-label run where every set has one label", async () => {
    const lists = several.lists.map(([lowest]) => [lowest]);
    const one = { ...several, lists };
    const [plain, sets] = [join(folder, "plain.arrow"), join(folder, "sets.arrow")];
    writeSeveral(sets, one);
    const { ids, labels, values, dim, classes } = readVectors(sets);
    const { writeVectors } = await import("../../../stages/shared/artifacts/vectors.ts");
    writeVectors(plain, { ids, labels, vector: values, dim }, { classes });
    const weights = async (path: string) => {
      const { outputs } = await train({ loss: "softmax", selector: undefined, steps: 5 }, { data: path });
      return readFileSync(join(outputs.model, "weights.bin")).toString("base64");
    };
    expect(await weights(sets)).toBe(await weights(plain));
  });
});
