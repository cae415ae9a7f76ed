/** Distances in WebAssembly and in plain JavaScript: the same bits, and those of tfjs's product. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { BLOCK, Distances } from "../../../stages/evaluate/distances.ts";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";

beforeAll(async () => void (await startBackend("wasm")));

const bits = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)];

/** Vectors, their squared lengths, and the items in another order. @param coarse most distances occur several times */
function rowsOf(rows: number, dim: number, coarse: boolean) {
  const draw = random(3, `${rows} ${dim}`);
  const values = Float32Array.from({ length: rows * dim }, () =>
    coarse ? Math.round(draw.normal()) : draw.normal(),
  );
  const lengths = Float64Array.from({ length: rows }, (_, row) =>
    values.subarray(row * dim, (row + 1) * dim).reduce((sum, value) => sum + value * value, 0),
  );
  const order = Uint32Array.from({ length: rows }, (_, item) => (item * 7) % rows);
  return { values, dim, lengths, order };
}

describe.each([
  [1, 1, 1, false],
  [3, 50, 8, true],
  [BLOCK, 64, 5, true],
  [BLOCK - 1, 333, 64, false],
  [7, 130, 700, false],
])("%i queries, %i items of %i dims", (count, items, dim, coarse) => {
  const database = rowsOf(items, dim, coarse);
  const queries = rowsOf(count + 2, dim, coarse).values;
  const [simd, plain] = (["wasm-simd", "plain"] as const).map((engine) => {
    const distances = new Distances(database, engine);
    distances.take(queries, 2, count);
    return distances;
  });
  const products = () =>
    tf.tidy(() => {
      const rows = tf.tensor2d(queries.slice(2 * dim), [count, dim]);
      return tf.matMul(rows, tf.tensor2d(database.values, [items, dim]), false, true).dataSync();
    });

  it("has the same bits, and finds the nearest as a stable sort does", () => {
    const found = products();
    for (let i = 0; i < count; i++) {
      const expected = Float32Array.from(
        database.order,
        (row) => database.lengths[row] - 2 * found[i * items + row],
      );
      const sorted = [...expected.keys()]
        .sort((a, b) => expected[a] - expected[b] || database.order[a] - database.order[b])
        .map((item) => database.order[item]);
      for (const distances of [simd, plain]) {
        const measured = distances.measure(i);
        expect(bits(measured)).toEqual(bits(expected));
        for (const k of [1, 10, items + 1])
          expect([...distances.nearest(measured, k)]).toEqual(sorted.slice(0, k));
        expect([...distances.nearest(measured, 10, sorted[0])]).toEqual(sorted.slice(1, 11));
      }
    }
  });
});
