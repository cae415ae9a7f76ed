// From data to a map in 30 lines: the features of the bundled sample, a network, its embeddings, their numbers, t-SNE.
// Run it after `npm run build`:
//   node examples/train.mjs
import { fileURLToPath } from "node:url";
import { readExamples, readSplit } from "deephash/data";
import { evaluate } from "deephash/evaluation";
import { facenet } from "deephash/losses";
import { trustworthiness, tsne } from "deephash/maps";
import { batchHard } from "deephash/selectors";
import { embed, fit, mlp, save } from "deephash/training";

const sample = (file) => fileURLToPath(new URL(`../stages/sample/${file}`, import.meta.url));
const data = readExamples(sample("features.arrow"), "features");
const split = readSplit(sample("split.arrow"));

const trained = await fit({
  data,
  split,
  network: { use: mlp, hidden: [256] },
  loss: { use: facenet, margin: 0.2 },
  selector: batchHard,
  steps: Number(process.argv[2] ?? 200),
  onEvaluation: ({ step, loss, map }) =>
    console.log(`step ${step}: loss ${loss.toFixed(3)}, mAP ${map.toFixed(3)} on validation images`),
});
const vectors = await embed(trained, data);
const { map, accuracy, k } = await evaluate(vectors, split);
console.log(`mAP ${map.toFixed(3)}, ${(100 * accuracy).toFixed(1)} % right by ${k} neighbours`);
const points = { values: vectors.values.subarray(0, 500 * vectors.dim), rows: 500, dim: vectors.dim };
const { map: plane } = tsne(points, { perplexity: 30, iterations: 500, seed: 1 });
const trust = trustworthiness(points, Float32Array.from(plane));
console.log(`t-SNE of 500 images, trustworthiness ${trust.toFixed(3)}`);
if (process.argv[3]) await save(process.argv[3], trained); // for `deephash index --like`, or to load again
