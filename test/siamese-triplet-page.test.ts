/** docs/from-siamese-triplet.md names everything of that project, and only parts that exist. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync("docs/from-siamese-triplet.md", "utf8");

/** The exports of siamese-triplet, and its notebooks. */
const THERE = `SiameseMNIST TripletMNIST BalancedBatchSampler EmbeddingNet EmbeddingNetL2 ClassificationNet SiameseNet
  TripletNet ContrastiveLoss TripletLoss OnlineContrastiveLoss OnlineTripletLoss AllPositivePairSelector
  HardNegativePairSelector AllTripletSelector HardestNegativeTripletSelector RandomNegativeTripletSelector
  SemihardNegativeTripletSelector fit AccumulatedAccuracyMetric AverageNonzeroTripletsMetric pdist
  Experiments_MNIST.ipynb Experiments_FashionMNIST.ipynb networks.py datasets.py losses.py metrics.py trainer.py utils.py`;

/** The folder of each kind of part. */
const PARTS: Record<string, string> = {
  loss: "losses",
  selector: "selectors",
  sampler: "samplers",
  network: "networks",
  metrics: "metrics",
};

/** Parts that a text names as pipeline.yaml does, and that do not exist. */
const missingParts = (text: string) =>
  [...text.matchAll(/`(loss|selector|sampler|network|metrics): (?:\[|\{ use: )?([a-z-]+)/g)]
    .map(([, kind, name]) => `stages/train/${PARTS[kind]}/${name}.ts`)
    .filter((file) => !existsSync(file));

test("each of its names has a row", () => {
  for (const name of THERE.split(/\s+/)) expect(page).toContain(`\`${name}\``);
});

test("the parts that stand for them exist", () => {
  expect(missingParts(page)).toEqual([]);
  expect(missingParts("`selector: hardest` and `sampler: { use: balanced }`")).toEqual([
    "stages/train/selectors/hardest.ts",
  ]);
});
