// A loss of your own, in one file: what a triplet costs, and its slopes. Run it after `npm run build`:
//   node examples/own-loss.mjs
// In the pipeline a loss is a part: `npm run pipeline -- new loss my-loss`.
import * as tf from "@tensorflow/tfjs-core";
import { defaultsOf, random, startBackend, tripletLoss } from "deephash/losses";
import { batchHard } from "deephash/selectors";

const DIM = 8;
const CLASSES = 4;

/** max(0, margin + |a-p|² - |a-n|²)²: large mistakes count more. */
const squaredHinge = tripletLoss({
  normalise: true, // the pipeline then brings embeddings to length 1; here embed() does
  params: { margin: { type: "number", default: 1 } },
  terms: ({ margin }) => ({
    margin, // farther negatives have no loss
    term: {
      loss: 0,
      positive: 0,
      negative: 0,
      at(ap, an) {
        const over = Math.max(0, margin + ap - an);
        this.loss = over * over;
        this.positive = 2 * over; // its slope along |a-p|²
        this.negative = -2 * over; // and along |a-n|²
      },
    },
  }),
});

/** Points of four classes, which a linear map is to draw apart. */
const draw = random(1, "points");
const labels = Int32Array.from({ length: 80 }, (_, row) => row % CLASSES);
const points = Float32Array.from({ length: 80 * DIM }, (_, at) => {
  const label = labels[Math.floor(at / DIM)];
  return 0.5 * draw.normal() + (at % DIM === label ? 1.5 : 0);
});

await startBackend("wasm");
const x = tf.tensor2d(points, [80, DIM]);
const map = tf.variable(tf.eye(DIM));
const run = squaredHinge.start({
  dim: DIM,
  classes: CLASSES,
  params: defaultsOf(squaredHinge),
  random: random(1, "loss"),
  selector: { part: batchHard, params: defaultsOf(batchHard), random: random(1, "selector") },
});
const embed = () => {
  const y = tf.matMul(x, map);
  return tf.div(y, tf.norm(y, 2, 1, true));
};
const losses = [];
for (let step = 0; step < 100; step++) {
  const { value, grads } = tf.variableGrads(() => run.loss(embed(), labels, defaultsOf(squaredHinge)));
  losses.push(value.dataSync()[0]);
  map.assign(tf.sub(map, tf.mul(grads[map.name], 0.02)));
}
console.log(`The loss went from ${losses[0].toFixed(2)} to ${losses.at(-1).toFixed(2)} in 100 steps.`);
