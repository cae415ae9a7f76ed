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
