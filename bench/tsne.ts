/**
 * t-SNE of 64-d clusters on the unit sphere: seconds and trustworthiness, against scikit-learn's
 * where Python has it, else against what scikit-learn took on two cores when the limit was set.
 *
 * `node bench/run.mjs tsne [POINTS …]`
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackend } from "../stages/shared/compute/backend.ts";
import { random } from "../stages/shared/compute/random.ts";
import { tsne } from "../stages/tsne/embed.ts";
import type { Points } from "../stages/tsne/neighbours.ts";
import { trustworthiness } from "../stages/tsne/trustworthiness.ts";

/** Seconds of scikit-learn 1.2 on 2 cores, by number of points. */
const LIMITS: Record<number, number> = { 2000: 4.2, 10000: 26.9 };
const DIM = 64;

const SKLEARN = `
import sys, time
import numpy as np
from sklearn.manifold import TSNE, trustworthiness
x = np.fromfile(sys.argv[1], dtype=np.float32).reshape(-1, ${DIM})
start = time.time()
model = TSNE(init="pca", learning_rate="auto", perplexity=30, random_state=1)
y = model.fit_transform(x)
print(time.time() - start, trustworthiness(x, y, n_neighbors=5), model.kl_divergence_)
`;

/** Ten clusters that overlap at their rims, in 12 of the 64 dimensions, as trained embeddings do. */
function clusters(rows: number): Points {
  const draws = random(1, "clusters");
  const centres = Float32Array.from({ length: 10 * DIM }, () => draws.normal());
  const values = new Float32Array(rows * DIM);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = 0; i < DIM; i++) {
      const value = centres[(row % 10) * DIM + i] + (i < 12 ? 2.5 : 0.2) * draws.normal();
      values[row * DIM + i] = value;
      squares += value * value;
    }
    for (let i = 0; i < DIM; i++) values[row * DIM + i] /= Math.sqrt(squares);
  }
  return { values, rows, dim: DIM };
}

const sizes = process.argv.slice(2).map(Number);
await startBackend("wasm");
for (const rows of sizes.length ? sizes : [2000, 10_000]) {
  const points = clusters(rows);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const { map, kl, iterations } = tsne(points, { perplexity: 30, iterations: 1000, seed: 1 });
  const seconds = (performance.now() - began) / 1000;
  const busy = process.cpuUsage(cpu).user / 1e6;
  const trust = trustworthiness(points, Float32Array.from(map));
  console.log(
    `${rows} points, ${iterations} iterations: ${seconds.toFixed(1)} s (${busy.toFixed(1)} s of one core), trustworthiness ${trust.toFixed(4)}, KL ${kl.toFixed(3)}`,
  );
  const folder = mkdtempSync(join(tmpdir(), "deephash-tsne-"));
  const file = join(folder, "points");
  writeFileSync(file, points.values);
  const peer = ["python3", "/usr/bin/python3"]
    .map((python) => spawnSync(python, ["-c", SKLEARN, file], { encoding: "utf8" }))
    .find(({ status }) => status === 0);
  rmSync(folder, { recursive: true });
  if (peer) {
    const [theirs, theirTrust, theirKl] = peer.stdout.trim().split(" ").map(Number);
    console.log(
      `  scikit-learn here: ${theirs.toFixed(1)} s, trustworthiness ${theirTrust.toFixed(4)}, KL ${theirKl.toFixed(3)}: ` +
        `${(seconds / theirs).toFixed(2)} of its time, trustworthiness ${(trust - theirTrust).toFixed(4)} from its`,
    );
  } else if (LIMITS[rows]) {
    console.log(
      `  limit ${LIMITS[rows]} s (scikit-learn, 2 cores): ${(seconds / LIMITS[rows]).toFixed(2)} of it`,
    );
  }
}
