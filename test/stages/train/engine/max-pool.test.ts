/** The gradient of a max pool against plain loops: the same bytes. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import type { Heap } from "../../../../stages/shared/compute/heap.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { maxPoolGradient } from "../../../../stages/train/engine/max-pool.ts";

beforeAll(() => startBackend("wasm"));

type Info = tf.backend_util.Conv2DInfo;

/** Each slope to the first of the largest values of its window, window by window. */
function plain(values: Float32Array, slopes: Float32Array, info: Info): Float32Array {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const to = new Float32Array(values.length);
  let out = 0;
  for (let n = 0; n < batchSize; n++)
    for (let y = 0; y < outHeight; y++)
      for (let x = 0; x < outWidth; x++)
        for (let c = 0; c < inChannels; c++, out++) {
          let best = -1;
          for (let a = 0; a < info.filterHeight; a++)
            for (let b = 0; b < info.filterWidth; b++) {
              const row = y * info.strideHeight - padInfo.top + a;
              const column = x * info.strideWidth - padInfo.left + b;
              if (row < 0 || column < 0 || row >= inHeight || column >= inWidth) continue;
              const at = ((n * inHeight + row) * inWidth + column) * inChannels + c;
              if (best < 0 || values[at] > values[best]) best = at;
            }
          to[best] += slopes[out];
        }
  return to;
}

test.each<[[number, number, number, number], [number, number], [number, number], "same" | "valid"]>([
  [[3, 8, 6, 8], [2, 2], [2, 2], "valid"],
  [[2, 9, 7, 4], [2, 2], [2, 2], "valid"], // a row and a column are left over
  [[2, 9, 7, 12], [3, 3], [2, 2], "valid"], // windows overlap
  [[2, 9, 8, 8], [3, 3], [2, 2], "same"], // and reach over the edges
  [[2, 7, 8, 4], [3, 2], [1, 1], "same"],
  [[2, 7, 8, 4], [5, 5], [1, 2], "same"],
  [[2, 8, 6, 7], [2, 2], [2, 2], "valid"], // channels beside the vectors
  [[2, 7, 6, 3], [3, 3], [2, 2], "same"],
  [[2, 7, 6, 5], [1, 1], [2, 2], "valid"],
  [[2, 7, 6, 5], [7, 6], [1, 1], "valid"], // all at once
  [[1, 3, 2, 4], [5, 5], [1, 1], "same"],
])("images %j, windows %j every %j, %s", (shape, size, strides, pad) => {
  const info = tf.backend_util.computePool2DInfo(shape, size, strides, 1, pad);
  const stream = random(1, "pool");
  for (const levels of [2, 1e6]) {
    const draw = (lengths: number[]) =>
      tf.tensor(
        Float32Array.from({ length: tf.util.sizeFromShape(lengths) }, () => {
          const value = Math.round((stream.float() - 0.5) * levels);
          return levels === 2 ? value : value / 7; // of 3 values many are equal, 0 and -0 among them
        }),
        lengths,
      );
    const [x, dy] = [draw(shape), draw(info.outShape)];
    const expected = plain(x.dataSync() as Float32Array, dy.dataSync() as Float32Array, info);
    const found = maxPoolGradient(tf.backend() as unknown as Heap, x, dy, info);
    const { buffer } = (tf.backend() as unknown as Heap).typedArrayFromHeap(found).slice();
    expect(new Int32Array(buffer)).toEqual(new Int32Array(expected.buffer));
    tf.dispose([x, dy]);
    (tf.backend() as unknown as Heap).disposeData(found.dataId);
  }
});
