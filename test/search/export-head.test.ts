/** The encoder of an index whose codes a trained head makes, as one ONNX file. */
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { readExamples, readSplit } from "../../library/data.ts";
import { facenet } from "../../library/losses.ts";
import { batchHard } from "../../library/selectors.ts";
import { embed, fit, mlp, save } from "../../library/training.ts";
import { main } from "../../search/cli.ts";
import { writeVectors } from "../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../run-stage.ts";
import { makeWorld } from "./world.ts";

const BITS = 6;

test("a trained head is in the file, and gives the embeddings of the index", async () => {
  const world = await makeWorld(40, BITS);
  const data = readExamples(world.made.vectors, "features");
  const split = readSplit(world.made.split);
  const trained = await fit({
    data,
    split,
    network: { use: mlp, hidden: [16] },
    loss: { use: facenet, margin: 0.2 },
    selector: batchHard,
    dim: BITS,
    steps: 20,
    evaluateEvery: 10,
  });
  const model = join(world.folder, "head");
  await save(model, trained);
  const { values, dim, ...vectors } = await embed(trained, data);
  const vectorsFile = join(world.folder, "embeddings.arrow");
  writeVectors(vectorsFile, { ...vectors, vector: values, dim }, { classes: data.classes });
  const { outputs: encoded } = await runStage("encode", {
    params: { binariser: "sign" },
    inputs: { vectors: vectorsFile, split: world.made.split },
  });
  const { split: _, ...made } = world.made;
  const { outputs } = await runStage("index", {
    params: { backbone: "resnet18", views: [{ size: 32, flip: true }, { size: 64 }] },
    inputs: {
      ...made,
      head: model,
      vectors: vectorsFile,
      projection: encoded.projection,
      codes: encoded.codes,
    },
  });
  const told = vi.spyOn(console, "log").mockImplementation(() => {});
  expect(
    await main(["export", "--index", outputs.index, "--out", "head.onnx"], world.folder, world.folder),
  ).toBe(0);
  expect(told.mock.lastCall![0]).toMatch(
    /on 40 images .* by at most (0|\S+e-\d+|0\.000\d+), and 0 of 240 bits differ/,
  );
});
