/** Products with transposed operands agree with tfjs's plain backend. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";

beforeAll(async () => {
  await startBackend("cpu");
  await startBackend("wasm");
});

afterAll(() => tf.setBackend("wasm"));

async function onBoth(f: () => tf.Tensor): Promise<tf.Tensor[]> {
  const results: tf.Tensor[] = [];
  for (const backend of ["cpu", "wasm"]) {
    await tf.setBackend(backend);
    const result = f();
    results.push(tf.tensor(await result.data(), result.shape, result.dtype));
  }
  return results;
}

test.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])("product, transposed %s and %s", async (left, right) => {
  const numbers = (rows: number, columns: number) =>
    tf.tensor2d(
      Array.from({ length: rows * columns }, (_, i) => (i % 7) - 3),
      [rows, columns],
    );
  const [plain, fast] = await onBoth(() =>
    tf.matMul(left ? numbers(5, 4) : numbers(4, 5), right ? numbers(3, 5) : numbers(5, 3), left, right),
  );
  expect(Array.from(fast.dataSync())).toEqual(Array.from(plain.dataSync()));
});
