/** A training that is ended at any step goes on from its checkpoint, and ends with the bytes of one that ran through. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readExamples } from "../../../stages/shared/artifacts/examples.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { readCheckpoint, writeCheckpoint } from "../../../stages/train/loop/checkpoint.ts";
import { Streams } from "../../../stages/train/streams.ts";
import { runStage } from "../../run-stage.ts";
import { writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const folder = scratch();
const blobs = { classes: 4, perClass: 40, dim: 16, noise: 1.2 };
const [data, split, images] = ["features.arrow", "split.arrow", "images.arrow"].map((name) =>
  join(folder, name),
);
const SIDE = 16;
beforeAll(() => {
  writeBlobs(data, blobs);
  writeBlobSplit(split, blobs);
  const { ids, labels } = readExamples(data, "features");
  const stream = random(1, "checkpoint test");
  const table = Array.from(ids, (id, row) => ({
    id,
    split: "train" as const,
    label: labels[row],
    pixels: Array.from({ length: SIDE * SIDE }, () => stream.int(256)),
  }));
  writeImages(images, table, {
    height: SIDE,
    width: SIDE,
    channels: 1,
    classes: ["a", "b", "c", "d"],
  });
});

const quick = {
  network: { use: "mlp", hidden: [32], dropout: 0.2 },
  sampler: { use: "balanced", classes: 4, images: 4 },
  dim: 8,
  steps: 30,
  evaluate_every: 10,
  learning_rate: { peak: 0.01, warmup: 0.3 },
};
const facenet = { loss: { use: "facenet", margin: 0.5 }, selector: "random-negative" };

const train = (params: object, inputs: object, rest: object = {}) =>
  runStage("train", { params: { ...quick, ...params }, inputs: { data, split, ...inputs }, ...rest });
const bytes = ({ outputs }: Awaited<ReturnType<typeof train>>) =>
  [join(outputs.model, "weights.bin"), outputs.history].map((path) => readFileSync(path).toString("base64"));

/** Trains, ended after each of these steps; and once more to the end. */
async function interrupted(steps: number[], params: object, inputs: object, place = scratch()) {
  const checkpoint = { folder: join(place, "key"), seconds: 3600 };
  for (const at of steps) {
    const ending = new AbortController();
    const progress = (done: number) => {
      if (done === at) ending.abort(new Error("ended"));
    };
    const run = train(params, inputs, { checkpoint, signal: ending.signal, progress });
    await expect(run).rejects.toThrow("ended");
    expect(existsSync(join(checkpoint.folder, "checkpoint"))).toBe(true);
  }
  return train(params, inputs, { checkpoint });
}

describe("a training that was ended", () => {
  it.each<[string, object, object?]>([
    ["a selector and dropout that draw", { ...facenet, validation_loss: true }],
    [
      "weights of the loss, weight decay and clipping",
      { loss: "arcface", weight_decay: 0.1, gradient_clip: 0.5 },
    ],
    [
      "a cross-batch memory",
      { loss: { use: "contrastive", memory: { size: 40 } }, selector: "all-positive" },
    ],
    ["learned codes of the training images", { loss: { use: "adsh", every: 3 }, validation_loss: true }],
    ["momentum, and a metric of the stretch", { loss: "softmax", optimizer: "sgd", metrics: ["accuracy"] }],
    ["patience", { ...facenet, patience: 1, learning_rate: 0.03, steps: 60 }],
    [
      "augmented images",
      {
        ...facenet,
        network: "embedding-net",
        augment: ["flip", "shift", "erase"],
        steps: 12,
        evaluate_every: 6,
      },
      { data: images },
    ],
  ])("goes on to the same bytes: %s", async (_, params, inputs = {}) => {
    const whole = await train(params, inputs);
    const resumed = await interrupted([4, 11], params, inputs);
    expect(resumed.log.join("\n")).toContain("goes on after step 11, from the checkpoint of an earlier try");
    expect(bytes(resumed)).toEqual(bytes(whole));
  });

  it("goes on to the same bytes with views of features", async () => {
    const inputs = { views: data };
    const resumed = await interrupted([7], facenet, inputs);
    expect(bytes(resumed)).toEqual(bytes(await train(facenet, inputs)));
  });

  it("writes checkpoints as often as it is told, and goes on counting its seconds", async () => {
    const checkpoint = { folder: join(scratch(), "key"), seconds: 0 };
    await train(facenet, {}, { checkpoint });
    const saved = readCheckpoint<{ tally: { steps: number }; seconds: number }>(checkpoint.folder)!;
    expect(saved.tally.steps).toBe(30);
    expect(saved.seconds).toBeGreaterThan(0);
    const again = await train(facenet, {}, { checkpoint });
    expect(again.log.join("\n")).toContain("goes on after step 30");
    expect(bytes(again)).toEqual(bytes(await train(facenet, {})));
    const rare = { folder: join(scratch(), "key"), seconds: 3600 };
    await train(facenet, {}, { checkpoint: rare });
    expect(existsSync(rare.folder)).toBe(false);
  });

  it("starts over where its checkpoint is truncated or corrupt", async () => {
    for (const spoil of [
      (path: string) => truncateSync(path, 100),
      (path: string) => {
        const content = readFileSync(path);
        content[content.length - 20] ^= 1;
        writeFileSync(path, content);
      },
    ]) {
      const place = scratch();
      const checkpoint = { folder: join(place, "key"), seconds: 0 };
      await train(facenet, {}, { checkpoint });
      spoil(join(checkpoint.folder, "checkpoint"));
      const run = await train(facenet, {}, { checkpoint });
      expect(run.log.join("\n")).not.toContain("goes on");
      expect(bytes(run)).toEqual(bytes(await train(facenet, {})));
    }
  });
});

describe("a checkpoint", () => {
  it("holds numbers to the last bit, and is replaced as a whole", () => {
    const place = join(scratch(), "new", "folder");
    expect(readCheckpoint(place)).toBeUndefined();
    const state = { a: Float32Array.from([0.1, Number.NaN, -0]), rows: [{ loss: 1 / 3, none: undefined }] };
    writeCheckpoint(place, state);
    expect(readCheckpoint(place)).toEqual(state);
    writeCheckpoint(place, { b: 2 });
    expect(readCheckpoint(place)).toEqual({ b: 2 });
  });
});

describe("streams of random numbers", () => {
  it("go on from where others were", () => {
    const draw = (streams: Streams) => {
      const [a, b] = [streams.start("a"), streams.start("b")];
      return () => [a.float(), b.int(1000), a.normal()];
    };
    const first = new Streams(1);
    const next = draw(first);
    next();
    const places = first.save();
    const wanted = [next(), next()];
    const second = new Streams(1);
    const other = draw(second);
    second.restore(places);
    expect([other(), other()]).toEqual(wanted);
  });

  it("are of one user each", () => {
    const streams = new Streams(1);
    streams.start("a");
    expect(() => streams.start("a")).toThrow(/"a" is in use already/);
  });
});
