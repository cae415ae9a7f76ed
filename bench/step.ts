/**
 * A training step (1280-512-64 with batch norm and dropout, Adam, batch 250, no selection) by the backends wasm and
 * native, in turns: milliseconds on the clock and of the processor. Beside it PyTorch's, on one thread, where a Python
 * here imports it. Then the same with a loss and its selector, and embedding-net on pixels; beside them PyTorch with
 * pytorch-metric-learning, where that is installed.
 *
 * `node bench/run.mjs step [ROUNDS]`
 */
import { spawnSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import type { PartDefinition } from "../runner/stage.ts";
import { normaliseRows } from "../stages/shared/artifacts/head.ts";
import { startBackend } from "../stages/shared/compute/backend.ts";
import { startNative } from "../stages/shared/compute/native.ts";
import { random } from "../stages/shared/compute/random.ts";
import { variablesOf } from "../stages/shared/compute/variables.ts";
import { adam } from "../stages/train/engine/adam.ts";
import type { Loss } from "../stages/train/loss.ts";
import facenet from "../stages/train/losses/facenet.ts";
import multiSimilarity from "../stages/train/losses/multi-similarity.ts";
import softmax from "../stages/train/losses/softmax.ts";
import supcon from "../stages/train/losses/supcon.ts";
import type { NetworkDefinition } from "../stages/train/network.ts";
import embeddingNet from "../stages/train/networks/embedding-net.ts";
import mlp from "../stages/train/networks/mlp.ts";
import type { TripletSelector } from "../stages/train/selector.ts";
import all from "../stages/train/selectors/all.ts";
import batchHard from "../stages/train/selectors/batch-hard.ts";
import semihard from "../stages/train/selectors/semihard-negative.ts";

const [BATCH, FEATURES, HIDDEN, DIM, CLASSES] = [250, 1280, 512, 64, 10];
const WARM = 5;
const rounds = Number(process.argv[2] ?? 60);

/** PyTorch's threads are told here: its BLAS (OpenBLAS, MKL) does not heed torch.set_num_threads. */
const ONE_THREAD = { OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };

/** PyTorch's times of the same steps, by name; empty where no Python here imports it. */
function peerTimes(rounds: number): Map<string, { version: string; wall: number; processor: number }> {
  const script = "bench/peers/step.py";
  const run = ["python3", "/usr/bin/python3"]
    .map((python) =>
      spawnSync(python, [script, String(rounds)], {
        encoding: "utf8",
        env: { ...process.env, ...ONE_THREAD },
      }),
    )
    .find(({ status }) => status === 0);
  const lines = run?.stdout.trim().split("\n") ?? [];
  return new Map(lines.map((line) => JSON.parse(line)).map((one) => [one.name, one]));
}

await startBackend("wasm");
const withDefaults = (part: PartDefinition) =>
  Object.fromEntries(Object.entries(part.params ?? {}).map(([name, schema]) => [name, schema.default]));

/** A step of a network with a loss; none: the mean of the squares. */
function stepOf(definition: NetworkDefinition, input: number[], loss?: Loss, selector?: TripletSelector) {
  const stream = random(1, "rows");
  const size = BATCH * input.reduce((x, y) => x * y);
  const rows = Float32Array.from({ length: size }, () => stream.normal());
  const params = { ...withDefaults(definition), hidden: [HIDDEN], dropout: 0.5 };
  const network = definition.build({ input, dim: DIM, params, seed: 1, random: random(1, "dropout") });
  const weights = variablesOf(network.model.trainableWeights);
  const given = loss && withDefaults(loss);
  const run = loss?.start({
    ...{ dim: DIM, classes: CLASSES, params: given!, random: random(1, "loss") },
    selector: selector && { part: selector, params: withDefaults(selector), random: random(1, "selector") },
  });
  const labels = Int32Array.from({ length: BATCH }, (_, row) => row % CLASSES);
  const optimizer = adam();
  optimizer.learningRate = 1e-3;
  const score = (y: tf.Tensor2D) =>
    run
      ? run.loss(loss!.normalise ? normaliseRows(y) : y, labels, given!)
      : (tf.mean(tf.square(y)) as tf.Scalar);
  return () =>
    tf.tidy(() => {
      const x = tf.tensor(rows, [BATCH, ...input]);
      const variables = [...weights, ...(run?.variables ?? [])];
      optimizer.applyGradients(tf.variableGrads(() => score(network.train(x)), variables).grads);
    });
}

interface Times {
  wall: number[];
  processor: number;
}

/** A step by both backends, in turns. */
async function measure(step: () => void, rounds: number): Promise<Record<"wasm" | "native", Times>> {
  const found = { wasm: { wall: [], processor: 0 }, native: { wall: [], processor: 0 } } as Record<
    "wasm" | "native",
    Times
  >;
  for (let round = -WARM; round < rounds; round++)
    for (const [name, times] of Object.entries(found)) {
      const stop = name === "native" ? await startNative() : () => {};
      const [began, used] = [performance.now(), process.cpuUsage()];
      step();
      const { user, system } = process.cpuUsage(used);
      if (round >= 0) {
        times.wall.push(performance.now() - began);
        times.processor += (user + system) / 1000 / rounds;
      }
      stop();
    }
  return found;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const table = (name: string, cells: (string | number)[]) =>
  console.log(
    name.padEnd(20) +
      cells.map((cell) => (typeof cell === "number" ? cell.toFixed(1) : cell).padStart(16)).join(""),
  );

const found = await measure(stepOf(mlp, [FEATURES]), rounds);
const line = (name: string, wall: number, processor: number) =>
  table(name, [wall, processor, (processor / found.wasm.processor).toFixed(2)]);
console.log(`A step, 1280-512-64, batch ${BATCH}, ${rounds} rounds`);
table("", ["median ms", "processor ms", "ratio to wasm"]);
for (const [name, { wall, processor }] of Object.entries(found)) line(name, median(wall), processor);
const peers = peerTimes(rounds);
const peer = peers.get("none");
if (peer) line(`PyTorch ${peer.version}`, peer.wall, peer.processor);
else console.log("PyTorch: skipped, no Python here imports it (Debian: python3-torch)");
console.log("limits of native: 12 ms on a quiet machine, and at most PyTorch's");

const few = Math.max(3, rounds >> 2);
console.log(
  `\nMedian ms of a step on the clock, ${few} rounds; (of the processor, with what Node does beside the step)`,
);
table("", ["wasm", "native", "PyTorch", "native / PyTorch", "(processor)"]);
const features = [FEATURES];
for (const [name, step] of [
  ["softmax", stepOf(mlp, features, softmax)],
  ["supcon", stepOf(mlp, features, supcon)],
  ["multi-similarity", stepOf(mlp, features, multiSimilarity)],
  ["batch-hard", stepOf(mlp, features, facenet, batchHard)],
  ["semi-hard", stepOf(mlp, features, facenet, semihard)],
  ["all triplets", stepOf(mlp, features, facenet, all)],
  ["embedding-net, 28 px", stepOf(embeddingNet, [28, 28, 1])],
] as const) {
  const { wasm, native } = await measure(step, few);
  const other = peers.get(name);
  const own = median(native.wall);
  const ratios = other ? [own / other.wall, native.processor / other.processor] : [];
  table(name, [median(wasm.wall), own, other?.wall ?? "", ...ratios.map((ratio) => ratio.toFixed(2))]);
}
if (!peers.has("supcon"))
  console.log("pytorch-metric-learning: skipped (pip install pytorch-metric-learning)");
console.log(
  "limits: at most 1.0 of PyTorch for batch-hard, supcon, multi-similarity, softmax; 1.2 for embedding-net",
);
