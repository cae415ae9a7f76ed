/** Parts that take one label an image, for a data set of several: refused where a study is planned. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { resolve } from "../../../runner/plan/tasks.ts";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";
import { LOSSES_OF_SEVERAL, SAMPLERS_OF_SEVERAL } from "../../../stages/train/several.ts";
import { scratch } from "../shared/scratch.ts";

const root = process.cwd();
const folder = scratch();
const book = new CodeBook(root);

/** A whole study: the plan refuses it, or gives its tasks. */
async function plan({
  dataset = "lists",
  protocol = "lists",
  loss = "dpsh",
  sampler = "shuffled",
  metrics = "[]",
}: Record<string, string> = {}) {
  writeFileSync(
    join(folder, "pipeline.yaml"),
    `profiles: { p: {} }
stages:
  download: { uses: download, inputs: { files: ${folder} }, with: { dataset: ${dataset} } }
  backbone: { uses: backbone, with: { backbone: mobilenetv2 } }
  split: { uses: split, inputs: { images: download.images }, with: { protocol: ${protocol}, validation: 10, seed: 1 } }
  extract:
    uses: extract
    inputs: { images: download.images, model: backbone.model }
    with: { backbone: mobilenetv2 }
  train:
    uses: train
    inputs: { data: extract.features, split: split.split }
    with:
      network: linear
      loss: ${loss}
      sampler: ${sampler}
      dim: 8
      steps: 9
      evaluate_every: 9
      seed: 1
  evaluate: { uses: evaluate, inputs: { vectors: extract.features, split: split.split }, with: { metrics: ${metrics} } }
`,
  );
  return resolve(expand(load(join(folder, "pipeline.yaml"), root), "p"), root, book);
}
const told = async (given: Record<string, string>): Promise<string> => {
  const error = await plan(given).then(
    () => new Error("planned"),
    (thrown: Error) => thrown,
  );
  expect(error.message).not.toContain("\n");
  return error.message.replace(/^.*pipeline\.yaml/, "");
};

describe("a study on images with several labels", () => {
  it("is planned with parts that take them", async () => {
    expect(await plan({ protocol: "official", dataset: "{ use: csv, several: true }" })).toHaveLength(6);
    expect(await plan()).toHaveLength(6);
  }, 30_000);

  it("is refused with any other, at the place of the part", async () => {
    expect(await told({ loss: "arcface" })).toMatch(
      /^:15:7 train\.with\.loss: images of the data set "lists" may have several labels each, but the loss "arcface" takes one label an image\. Take a loss that .*, as dpsh, .*; or, where each image has one label, declare several: false/,
    );
    expect(await told({ sampler: "random-triplets", loss: "dtsh" })).toMatch(
      /^:16:7 train\.with\.sampler: .* the sampler "random-triplets" takes one label an image\. Take the sampler balanced or shuffled/,
    );
    expect(await told({ dataset: "{ use: csv, several: true }", protocol: "unseen" })).toMatch(
      /^:5:\d+ split\.with\.protocol: images of the data set "csv" .* the protocol "unseen" divides images by class/,
    );
    expect(await told({ protocol: "P1" })).toMatch(
      /^:5:\d+ split\.with\.protocol: the data set "lists" publishes which images are searched, and the protocol "P1" would/,
    );
    expect(await told({ metrics: "[mrr, ami]" })).toMatch(
      /^:21:\d+ evaluate\.with\.metrics: nmi and ami compare clusters with classes, but images of the data set "lists"/,
    );
  }, 30_000);

  it("is refused with a sampler by category, where classes have none", async () => {
    const one = { loss: "dch", sampler: "hierarchical" };
    expect(await told({ ...one, dataset: "{ use: lists, several: false }" })).toMatch(
      /^:16:7 train\.with\.sampler: the sampler "hierarchical" draws by category, but the classes of the data set "lists" have none/,
    );
    expect(await plan({ ...one, dataset: "csv" })).toHaveLength(6);
    const alone = "{ use: category, categories: 1, classes: 1 }";
    expect(await told({ ...one, dataset: "csv", sampler: alone })).toMatch(
      /^:16:7 train\.with\.sampler: a batch of the sampler "category" would have one class/,
    );
  }, 30_000);

  it("is planned with them where the data set declares one label an image, or nothing", async () => {
    const one = { loss: "arcface", sampler: "balanced", metrics: "[nmi]" };
    expect(await plan({ ...one, dataset: "{ use: lists, several: false }" })).toHaveLength(6);
    expect(await plan({ ...one, dataset: "csv" })).toHaveLength(6);
  }, 30_000);
});

it("the losses and samplers that messages name take several labels", async () => {
  for (const [kind, names] of [
    ["losses", LOSSES_OF_SEVERAL],
    ["samplers", SAMPLERS_OF_SEVERAL],
  ] as const) {
    const able: string[] = [];
    for (const file of readdirSync(`stages/train/${kind}`))
      if ((await import(`../../../stages/train/${kind}/${file}`)).default.several)
        able.push(file.replace(".ts", ""));
    expect(able).toEqual(expect.arrayContaining(names));
  }
});
