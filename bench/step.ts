/**
 * A training step (1280-512-64 with batch norm and dropout, Adam, batch 250, no selection) by the backends wasm and
 * native, in turns: milliseconds on the clock and of the processor. Beside it PyTorch's, on one thread, where a Python
 * here imports it.
 *
 * `node bench/run.mjs step [ROUNDS]`
 */
import { spawnSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../stages/shared/compute/backend.ts";
import { startNative } from "../stages/shared/compute/native.ts";
import { random } from "../stages/shared/compute/random.ts";
import { adam } from "../stages/train/engine/adam.ts";
import mlp from "../stages/train/networks/mlp.ts";

const [BATCH, FEATURES, HIDDEN, DIM] = [250, 1280, 512, 64];
const WARM = 5;
const rounds = Number(process.argv[2] ?? 60);

/** The same step; prints the median on the clock and the mean of the processor. */
const TORCH = `
import sys, time, torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(${FEATURES}, ${HIDDEN}, bias=False), nn.BatchNorm1d(${HIDDEN}), nn.ReLU(),
                    nn.Dropout(0.5), nn.Linear(${HIDDEN}, ${DIM}))
adam = torch.optim.Adam(net.parameters(), 1e-3)
x = torch.randn(${BATCH}, ${FEATURES})
wall, cpu = [], 0
for step in range(int(sys.argv[1]) + ${WARM}):
    began, used = time.perf_counter(), time.process_time()
    adam.zero_grad()
    net(x).square().mean().backward()
    adam.step()
    if step >= ${WARM}:
        wall.append(time.perf_counter() - began)
        cpu += time.process_time() - used
print(torch.__version__, sorted(wall)[len(wall) // 2] * 1000, cpu / len(wall) * 1000)
`;

await startBackend("wasm");
const stream = random(1, "rows");
const rows = Float32Array.from({ length: BATCH * FEATURES }, () => stream.normal());
const params = { hidden: [HIDDEN], dropout: 0.5 };
const network = mlp.build({ input: [FEATURES], dim: DIM, params, seed: 1, random: random(1, "dropout") });
const variables = network.model.trainableWeights.map(
  (weight) => (weight as unknown as { val: tf.Variable }).val,
);
const optimizer = adam();
optimizer.learningRate = 1e-3;
const step = () =>
  tf.tidy(() => {
    const { grads } = tf.variableGrads(
      () => tf.mean(tf.square(network.train(tf.tensor(rows, [BATCH, FEATURES])))) as tf.Scalar,
      variables,
    );
    optimizer.applyGradients(grads);
  });

interface Times {
  wall: number[];
  processor: number;
}
const found: Record<string, Times> = {
  wasm: { wall: [], processor: 0 },
  native: { wall: [], processor: 0 },
};
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

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const line = (name: string, wall: number, processor: number) =>
  console.log(
    `${name.padEnd(16)}${wall.toFixed(1).padStart(11)}${processor.toFixed(1).padStart(16)}${(processor / found.wasm.processor).toFixed(2).padStart(16)}`,
  );
console.log(`A step, 1280-512-64, batch 250, ${rounds} rounds`);
console.log(`${"".padEnd(16)}  median ms    processor ms   ratio to wasm`);
for (const [name, { wall, processor }] of Object.entries(found)) line(name, median(wall), processor);
const peer = ["python3", "/usr/bin/python3"]
  .map((python) => spawnSync(python, ["-c", TORCH, String(rounds)], { encoding: "utf8" }))
  .find(({ status }) => status === 0);
if (peer) {
  const [version, wall, processor] = peer.stdout.trim().split(" ");
  line(`PyTorch ${version}`, Number(wall), Number(processor));
} else console.log("PyTorch: skipped, no Python here imports it (Debian: python3-torch)");
console.log("limits of native: 12 ms on a quiet machine, and at most PyTorch's");
