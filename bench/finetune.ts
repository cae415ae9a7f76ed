/**
 * A training step of the whole MobileNetV2 (random weights, 48 outputs, Adam) by the backend native, beside PyTorch on as
 * many threads where a Python here imports it: median milliseconds on the clock and of the processor, and their ratio.
 *
 * `node bench/run.mjs finetune [STEPS] [BATCH] [THREADS] [SIDE …]`, by default 3 steps of 100 images on 2 threads at 96 and
 * 128 pixels
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import mobilenetv2 from "../stages/shared/backbones/mobilenetv2.ts";
import { startNative } from "../stages/shared/compute/native.ts";
import { random } from "../stages/shared/compute/random.ts";
import { variablesOf } from "../stages/shared/compute/variables.ts";
import { buildTuned } from "../stages/train/backbone.ts";
import { adam } from "../stages/train/engine/adam.ts";
import linear from "../stages/train/networks/linear.ts";
import { writeMobileNetV2 } from "./networks.ts";

const [steps = 3, batch = 100, threads = 2, ...given] = process.argv.slice(2).map(Number);
const sides = given.length ? given : [96, 128];
const DIM = 48;

interface Times {
  wall: number;
  processor: number;
}

/** PyTorch's times by side; empty where no Python here imports it. */
function peerTimes(): Map<number, Times & { version: string }> {
  const args = ["bench/peers/finetune.py", ...[steps, batch, threads, ...sides].map(String)];
  const run = ["python3", "/usr/bin/python3"]
    .map((python) => spawnSync(python, args, { encoding: "utf8" }))
    .find(({ status }) => status === 0);
  const lines = run?.stdout.trim().split("\n") ?? [];
  return new Map(lines.map((line) => JSON.parse(line)).map((one) => [one.side, one]));
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** The times of a step. @param path of the backbone @param features its tensor of features */
function measure(side: number, path: string, features: string): Times {
  const build = (input: number[]) =>
    linear.build({ input, dim: DIM, params: {}, seed: 1, random: random(1, "dropout") });
  const tuning = { backbone: { ...mobilenetv2, name: "mobilenetv2", features }, from: "input", size: side };
  const network = buildTuned(tuning, path, { shape: [side, side, 3] }, build, DIM);
  const weights = variablesOf(network.model.trainableWeights);
  const stream = random(1, "images");
  const images = Float32Array.from({ length: batch * side * side * 3 }, () => stream.normal());
  const optimizer = adam();
  optimizer.learningRate = 1e-3;
  const times: Times[] = [];
  for (let step = 0; step <= steps; step++) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    tf.tidy(() => {
      const x = tf.tensor(images, [batch, side, side, 3]);
      const loss = () => tf.mean(tf.square(network.train(x))) as tf.Scalar;
      optimizer.applyGradients(tf.variableGrads(loss, weights).grads);
    });
    const { user, system } = process.cpuUsage(used);
    times.push({ wall: performance.now() - began, processor: (user + system) / 1000 });
  }
  tf.dispose(weights);
  const [wall, processor] = (["wall", "processor"] as const).map((name) =>
    median(times.slice(1).map((one) => one[name])),
  );
  return { wall, processor };
}

const folder = mkdtempSync(join(tmpdir(), "deephash-bench-"));
try {
  const path = join(folder, "mobilenetv2.onnx");
  const features = writeMobileNetV2(path);
  await startNative(undefined, threads);
  const peers = peerTimes();
  console.log(`A step of MobileNetV2, batch ${batch}, ${threads} threads, median of ${steps}`);
  for (const side of sides) {
    const own = measure(side, path, features);
    const peer = peers.get(side);
    const show = (name: string, { wall, processor }: Times) =>
      console.log(
        `${side} px  ${name.padEnd(18)}${wall.toFixed(0)} ms, processor ${processor.toFixed(0)} ms`,
      );
    show("native", own);
    if (peer) {
      show(`PyTorch ${peer.version}`, peer);
      const ratios = [own.wall / peer.wall, own.processor / peer.processor].map((one) => one.toFixed(2));
      console.log(`${side} px  native / PyTorch: ${ratios[0]}, processor ${ratios[1]}`);
    } else console.log("PyTorch: skipped, no Python here imports it (Debian: python3-torch)");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
