import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test, vi } from "vitest";
import { embedRows } from "../../../../stages/shared/artifacts/head.ts";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

const DIM = 24;

test("rows pass through the network in whole blocks, with the same numbers as one by one", async () => {
  const model = layers.sequential();
  model.add(layers.layers.dense({ inputShape: [DIM], units: 8, activation: "relu" }));
  model.add(layers.layers.batchNormalization());
  const stream = random(3, "rows");
  const values = Float32Array.from({ length: 700 * DIM }, () => stream.normal());
  const take = (rows: Uint32Array) => {
    const out = new Float32Array(rows.length * DIM);
    for (const [at, row] of rows.entries()) out.set(values.subarray(row * DIM, (row + 1) * DIM), at * DIM);
    return out;
  };
  const head = { dim: 8, normalise: true };
  const all = Uint32Array.from({ length: 700 }, (_, row) => row);
  const read = vi.spyOn(tf.backend(), "readSync");
  const together = await embedRows(model, head, { shape: [DIM], take }, all);
  expect(read.mock.calls.length).toBeLessThanOrEqual(4); // a block and its embeddings, twice
  read.mockRestore();
  const alone = new Float32Array(together.length);
  for (const row of all)
    alone.set(await embedRows(model, head, { shape: [DIM], take }, Uint32Array.of(row)), row * head.dim);
  expect(together).toEqual(alone);
});
