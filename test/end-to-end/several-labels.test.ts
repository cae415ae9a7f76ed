/** Images with several labels, from pictures and lists to the report: every stage on the way. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { readCodes } from "../../stages/shared/artifacts/codes.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { runStage } from "../run-stage.ts";
import { colourNetwork } from "../stages/extract/onnx-model.ts";
import { scratch } from "../stages/shared/scratch.ts";

const folder = scratch();
const LABELS = 3;
/** Every set of one or two labels. */
const SETS = [[0], [1], [2], [0, 1], [1, 2], [0, 2]];
const [TRAINING, QUERIES, SEARCHED] = [60, 18, 36];

beforeAll(() => startBackend("wasm"));

/** Pictures whose channels are bright where they have a label, and the lists of them in HashNet's form. */
async function drawPictures(root: string): Promise<void> {
  const draw = random(1, "pictures");
  const lists: Record<string, string[]> = { train: [], test: [], database: [] };
  mkdirSync(join(root, "pictures"), { recursive: true });
  for (let i = 0; i < TRAINING + QUERIES + SEARCHED; i++) {
    const own = SETS[i % SETS.length];
    const bytes = Uint8Array.from(
      { length: 8 * 8 * 3 },
      (_, at) => (own.includes(at % 3) ? 180 : 40) + draw.int(60),
    );
    const path = `pictures/${i}.png`;
    await sharp(bytes, { raw: { width: 8, height: 8, channels: 3 } })
      .png()
      .toFile(join(root, path));
    const flags = Array.from({ length: LABELS }, (_, label) => Number(own.includes(label)));
    const list = i < TRAINING ? "train" : i < TRAINING + QUERIES ? "test" : "database";
    lists[list].push([path, ...flags].join(" "));
  }
  for (const [name, lines] of Object.entries(lists))
    writeFileSync(join(root, `${name}.txt`), lines.join("\n"));
  writeFileSync(join(root, "labels.txt"), "red\ngreen\nblue\n");
}

test("codes of images with several labels, from lists to the report", async () => {
  const root = join(folder, "data");
  await drawPictures(root);
  const images = (
    await runStage("download", { params: { dataset: { use: "lists", size: 8 } }, inputs: { files: root } })
  ).outputs.images;
  const { split } = (
    await runStage("split", { params: { protocol: "lists", validation: 12, seed: 1 }, inputs: { images } })
  ).outputs;
  const model = colourNetwork(join(folder, "colours.onnx"));
  const backbone = { use: "file", name: "colours" };
  const { features } = (
    await runStage("extract", { params: { backbone, size: 32, device: "cpu" }, inputs: { images, model } })
  ).outputs;
  const training = { network: { use: "linear" }, dim: 8, steps: 60, evaluate_every: 30, seed: 1 };
  const trained = await runStage("train", {
    params: { ...training, loss: "dpsh", sampler: "shuffled", learning_rate: 0.02 },
    inputs: { data: features, split },
  });
  const { embeddings } = (
    await runStage("embed", { inputs: { data: features, model: trained.outputs.model } })
  ).outputs;
  const { codes } = (await runStage("encode", { inputs: { vectors: embeddings, split } })).outputs;
  expect(readCodes(codes).sets).toHaveLength(TRAINING + QUERIES + SEARCHED);
  const evaluated = await runStage("evaluate-codes", { inputs: { codes, split } });
  const metrics = JSON.parse(readFileSync(evaluated.outputs.metrics, "utf8"));
  const raw = await runStage("evaluate", {
    params: { graded_at: [5] },
    inputs: { vectors: features, split },
  });
  const source = (id: string, path: string, point = {}) => ({ path, id, point });
  const { outputs } = await runStage("report", {
    params: { title: "Several labels" },
    inputs: {
      metrics: [
        source("evaluate[loss=dpsh]", evaluated.outputs.metrics, { loss: "dpsh" }),
        source("evaluate-raw", raw.outputs.metrics),
      ],
      histories: [source("train[loss=dpsh]", trained.outputs.history, { loss: "dpsh" })],
    },
  });
  const report = readFileSync(outputs.report, "utf8");
  expect(report).toContain("| DPSH | ");
  // A table of vectors and one of codes, with the numbers of the evaluations; F1 in the place of accuracy.
  const [ofVectors, ofCodes] = report.split("Graded relevance, protocol lists").slice(1);
  expect(ofVectors).toMatch(/\| representation \|.* nDCG@5 \| ACG@5 \| nDCG@100 \| ACG@100 \| WAP \|/);
  const { metrics: found } = JSON.parse(readFileSync(raw.outputs.metrics, "utf8"));
  for (const name of ["ndcg@5", "acg@100", "wap", "f1_micro", "f1_macro"])
    expect(ofVectors).toContain(`**${found[name].value.toFixed(4)}**`);
  for (const name of ["ndcg@100", "acg@100", "wap"])
    expect(ofCodes).toContain(`**${metrics.metrics[name].value.toFixed(4)}**`);
  expect(report).toMatch(/\| representation \| mAP \| 95 % \| F1 of all labels \|/);
  expect(report).toContain("F1 of each class");
  // Of two pictures drawn at random, two thirds share a label.
  expect(metrics.metrics.map.value).toBeGreaterThan(0.9);
  expect(Object.keys(metrics.metrics)).toEqual(expect.arrayContaining(["ndcg@100", "acg@100", "wap"]));
}, 60_000);
