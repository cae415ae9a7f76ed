import { beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { validate } from "../../../../stages/train/loop/validate.ts";

beforeAll(() => startBackend("wasm"));

test("validation of codes ranks by the signs alone, with ties in every order", () => {
  // By distance the item of the same class is far; by sign it is the only one that agrees in both bits.
  const queries = { embeddings: Float32Array.of(0.1, 0.1), labels: Uint16Array.of(0) };
  const database = {
    embeddings: Float32Array.of(5, 5, 0.1, -0.1, -0.1, 0.1),
    labels: Uint16Array.of(0, 1, 1),
  };
  expect(validate({ queries, database }, 2, 2, false).map).toBeCloseTo(1 / 3, 6);
  expect(validate({ queries, database }, 2, 2, true).map).toBe(1);
  const tied = { embeddings: Float32Array.of(5, -5, 0.1, -0.1), labels: Uint16Array.of(0, 1) };
  expect(validate({ queries, database: tied }, 2, 2, true).map).toBeCloseTo(0.75, 6);
});

test("images that search each other leave themselves out", () => {
  // 0 and 1 are near, 2 and 3 are near; of class 0: 0 and 2, of class 1: 1 and 3. Each finds its one at
  // rank 2, 3, 3, 2.
  const embeddings = Float32Array.of(0, 1, 10, 11);
  const images = { embeddings, labels: Uint16Array.of(0, 1, 0, 1) };
  expect(validate({ queries: images, database: images }, 1, 2, false, true).map).toBeCloseTo(5 / 12, 6);
  expect(validate({ queries: images, database: images }, 1, 2, false).map).toBeGreaterThan(0.7);
});

test("with several labels, images are found that share one, and F1 takes the place of accuracy", () => {
  const labels = Uint16Array.of(0, 0, 1);
  // Sets {0, 1}, {0}, {1}: the first is similar to both, which are not similar to each other.
  const images = { embeddings: Float32Array.of(0, 1, 3), labels, sets: Uint8Array.of(3, 1, 2) };
  const found = validate({ queries: images, database: images }, 1, 2, false, true);
  // The first finds both: 1. The second and the third each find the first, nearest and second: 1 and 1/2.
  expect(found.map).toBeCloseTo((1 + 1 + 1 / 2) / 3, 6);
  // Votes of more than half of two neighbours: none; {1}, which is wrong; {0}, which is wrong.
  expect(found.accuracy).toBe(0);
});
