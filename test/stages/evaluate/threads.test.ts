import { expect, it } from "vitest";
import type * as Neighbours from "../../../stages/evaluate/neighbours.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { onOneAndTwoThreads } from "../evaluation.ts";

it("finds the same on one thread and on two, to the last bit", async () => {
  const draw = random(1, "rows");
  const vectors = (rows: number) => ({
    values: Float32Array.from({ length: rows * 8 }, () => draw.normal()),
    labels: Uint16Array.from({ length: rows }, (_, row) => row % 3),
    dim: 8,
  });
  const [queries, database] = [vectors(200), vectors(301)];
  const [one, two] = await onOneAndTwoThreads(
    "stages/evaluate/neighbours.ts",
    ({ rankAll, takeRows }: typeof Neighbours, options) => {
      const take = (from: typeof queries) =>
        takeRows(from, Uint32Array.from(from.labels.keys()), undefined, true);
      const how = { dim: 8, classes: 3, ks: [1, 5], at: [1, 10], ...options };
      return rankAll(take(queries), take(database), how);
    },
  );
  expect(two).toEqual(one);
  expect(one.columns.map.every((value) => value > 0)).toBe(true);
});
