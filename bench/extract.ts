/**
 * The stage extract (reading, resizing, checking, float16, Arrow) against onnxruntime alone on the same batches,
 * resized before: images a second in turns, the ratios of the same round, and the stage's peak memory.
 *
 *     node bench/run.mjs extract [--model FILE --images FILE] [--backbone NAME] [--size 160] [--batch 32] [--count 960]
 *
 * Without a model: a ResNet-18 with random weights; without images: random ones of 32 x 32 pixels.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readImageList, readPixels } from "../stages/shared/artifacts/images.ts";
import type { Backbone } from "../stages/shared/backbone.ts";
import mobilenetv2 from "../stages/shared/backbones/mobilenetv2.ts";
import resnet18 from "../stages/shared/backbones/resnet18.ts";
import resnet18Layer3 from "../stages/shared/backbones/resnet18-layer3.ts";
import resnet50 from "../stages/shared/backbones/resnet50.ts";
import { InferenceSession, Tensor } from "../stages/shared/compute/onnxruntime.ts";
import { openSession } from "../stages/shared/inference/session.ts";
import { Resizer } from "../stages/shared/pixels/resize.ts";
import { cpuMilliseconds, extract, peakMegabytes, scratch, someImages } from "./extraction.ts";
import { writeResNet } from "./networks.ts";

const PARTS: Record<string, Backbone> = {
  mobilenetv2,
  resnet18,
  resnet50,
  "resnet18-layer3": resnet18Layer3,
};
const ROUNDS = 5;
const LIMIT = 0.95;

const { values: given } = parseArgs({
  options: {
    model: { type: "string" },
    images: { type: "string" },
    backbone: { type: "string" },
    size: { type: "string", default: "160" },
    batch: { type: "string", default: "32" },
    count: { type: "string", default: "960" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});
const [size, batch, count, threads] = [given.size, given.batch, given.count, given.threads].map(Number);
const name = given.backbone ?? (given.model ? "mobilenetv2" : "resnet18");
const part = PARTS[name];
if (!part) throw new Error(`--backbone: there are ${Object.keys(PARTS).join(", ")}, not ${name}.`);
const folder = scratch();
const model = given.model ?? join(folder, "resnet18.onnx");
if (!given.model) writeResNet(model, [2, 2, 2, 2], false);
const images = await someImages(given.images, count, join(folder, "images.arrow"));
console.log(
  `${given.model ?? "a ResNet-18 with random weights"} on ${count} images ${given.images ? `of ${given.images}` : "of random pixels"}, ` +
    `${size} px, batch ${batch}, ${threads} threads`,
);

// The stage alone first: what it holds at most is not yet mixed up with the batches below.
const run = { images, model, backbone: { name, part }, size, batch, threads };
await extract(run, folder);
const peak = peakMegabytes();

const { height, width, channels } = await readImageList(images);
const resizer = new Resizer({ height, width, channels }, size, part, batch);
const batches: { data: Float32Array; count: number }[] = [];
for await (const { count, pixels } of readPixels(images, batch)) {
  batches.push({ data: resizer.fill(0, pixels, count).slice(0, count * 3 * size * size), count });
}
/** onnxruntime alone: as it comes but for the number of threads, and with the very options of the stage. */
const sessions = {
  "as it comes": await InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1 }),
  "as the stage opens it": await openSession(model, "cpu", threads),
};
interface Rate {
  imagesPerSecond: number;
  /** Milliseconds of one core. */
  cpuPerImage: number;
}
const alone = async (session: InferenceSession): Promise<Rate> => {
  const [began, cpu] = [performance.now(), cpuMilliseconds()];
  for (const { data, count } of batches)
    await session.run({ [session.inputNames[0]]: new Tensor("float32", data, [count, 3, size, size]) });
  return {
    imagesPerSecond: (count * 1000) / (performance.now() - began),
    cpuPerImage: (cpuMilliseconds() - cpu) / count,
  };
};
const resizing = performance.now();
for await (const { count, pixels } of readPixels(images, batch)) resizer.fill(0, pixels, count);
const resizeSeconds = (performance.now() - resizing) / 1000;

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const rates: Record<string, Rate[]> = { "stage extract": [] };
for (const [name, session] of Object.entries(sessions)) {
  rates[name] = [];
  await alone(session);
}
for (let round = 0; round < ROUNDS; round++) {
  rates["stage extract"].push(await extract(run, folder));
  for (const [name, session] of Object.entries(sessions)) rates[name].push(await alone(session));
}
for (const session of Object.values(sessions)) await session.release();
for (const [name, all] of Object.entries(rates)) {
  const speeds = all.map((rate) => rate.imagesPerSecond);
  const ratio = median(speeds.map((speed, round) => rates["stage extract"][round].imagesPerSecond / speed));
  const verdict = `the stage reaches ${ratio.toFixed(3)} of it, ${ratio >= LIMIT ? "within" : "BELOW"} the limit of ${LIMIT}`;
  console.log(
    `${(name in sessions ? `onnxruntime ${name}` : name).padEnd(34)} ${String(Math.round(median(speeds))).padStart(5)} images/s ` +
      `(${speeds.map((speed) => Math.round(speed)).join(", ")}), ${median(all.map((rate) => rate.cpuPerImage)).toFixed(2)} ms of a core an image` +
      `${name in sessions ? `; ${verdict}` : ""}`,
  );
}
console.log(`reading and resizing by themselves: ${Math.round(count / resizeSeconds)} images/s`);
console.log(`the stage's peak memory: ${peak} MB`);
