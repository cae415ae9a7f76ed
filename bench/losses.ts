/**
 * Every loss, and every selector with a loss that takes it: processor milliseconds of a value and gradient on 64-d
 * outputs of 10 classes x 25 (the least and the median of the rounds), by the backend native, against what a step of
 * 12 ms leaves for it.
 *
 * `node bench/run.mjs losses [ROUNDS [NAME …]]`
 */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { PartDefinition } from "../runner/stage.ts";
import { normaliseRows } from "../stages/shared/artifacts/head.ts";
import { startNative } from "../stages/shared/compute/native.ts";
import { random } from "../stages/shared/compute/random.ts";
import type { Loss } from "../stages/train/loss.ts";
import type { PairSelector, TripletSelector } from "../stages/train/selector.ts";

const [BATCH, DIM, CLASSES] = [250, 64, 10];
const WARM = 8;
/** A step of 12 ms less the network and Adam (bench/step.ts). */
const LIMIT = 4;
const rounds = Number(process.argv[2] ?? 30);
const wanted = process.argv.slice(3);

const withDefaults = (part: PartDefinition) =>
  Object.fromEntries(Object.entries(part.params ?? {}).map(([name, schema]) => [name, schema.default]));

const folder = `${dirname(process.argv[1])}/../stages/train`;
const namesOf = (kind: string) => readdirSync(`${folder}/${kind}`).map((file) => file.slice(0, -3));
const lossOf = async (name: string): Promise<Loss> =>
  (await import(`../stages/train/losses/${name}.ts`)).default;
const selectorOf = async (name: string): Promise<TripletSelector | PairSelector> =>
  (await import(`../stages/train/selectors/${name}.ts`)).default;

await startNative();
const draw = random(1, "rows");
const centres = Float32Array.from({ length: CLASSES * DIM }, () => draw.normal());
const labels = Int32Array.from({ length: BATCH }, (_, row) => row % CLASSES);
const rows = tf.tensor2d(
  Float32Array.from(
    { length: BATCH * DIM },
    (_, at) => centres[labels[Math.floor(at / DIM)] * DIM + (at % DIM)] + 2 * draw.normal(),
  ),
  [BATCH, DIM],
);
const examples = {
  values: Float32Array.from({ length: BATCH * 32 }, () => draw.normal()),
  shape: [BATCH, 32],
};

/** The least and the median of processor milliseconds of a loss with its gradient. */
function measure(loss: Loss, selector?: TripletSelector | PairSelector): [number, number] {
  const params = withDefaults(loss);
  const run = loss.start({
    ...{ dim: DIM, classes: CLASSES, params, random: random(1, "loss") },
    selector: selector && { part: selector, params: withDefaults(selector), random: random(1, "selector") },
  });
  const score = (x: tf.Tensor2D) =>
    run.loss(loss.normalise ? normaliseRows(x) : x, labels, params, { examples, share: 0.5 });
  const x = tf.variable(rows);
  const times: number[] = [];
  for (let round = -WARM; round < rounds; round++) {
    const used = process.cpuUsage();
    tf.tidy(() => {
      const { grads, value } = tf.variableGrads(
        () => score(x as unknown as tf.Tensor2D),
        [x, ...run.variables],
      );
      value.dataSync();
      for (const gradient of Object.values(grads)) gradient.dataSync();
    });
    const { user, system } = process.cpuUsage(used);
    if (round >= 0) times.push((user + system) / 1000);
  }
  x.dispose();
  times.sort((a, b) => a - b);
  return [times[0], times[times.length >> 1]];
}

const print = (name: string, [least, median]: [number, number]) =>
  console.log(
    `${name.padEnd(40)}${least.toFixed(1).padStart(8)}${median.toFixed(1).padStart(8)}${median > LIMIT ? `  above ${LIMIT} ms` : ""}`,
  );
const asked = (name: string) => wanted.length === 0 || wanted.includes(name);

console.log(`${"".padEnd(40)}   least  median   (${rounds} rounds)`);
const takes: Record<string, [string, Loss]> = {
  triplets: ["facenet", await lossOf("facenet")],
  pairs: ["contrastive", await lossOf("contrastive")],
};
for (const name of namesOf("losses")) {
  if (!asked(name)) continue;
  const loss = await lossOf(name);
  const usual = { triplets: "all", pairs: "all-positive", nothing: undefined }[loss.selects];
  print(usual ? `${name}, ${usual}` : name, measure(loss, usual ? await selectorOf(usual) : undefined));
}
for (const name of namesOf("selectors")) {
  if (!asked(name)) continue;
  const selector = await selectorOf(name);
  const [loss, part] = takes[selector.selects];
  print(`${loss}, ${name}`, measure(part, selector));
}
