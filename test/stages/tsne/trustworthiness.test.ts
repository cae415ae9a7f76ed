import { beforeAll, describe, expect, it } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { trustworthiness } from "../../../stages/tsne/trustworthiness.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

/** Points on a line of the plane. */
const line = (...places: number[]) => Float32Array.from(places.flatMap((place) => [place, 0]));

describe("trustworthiness", () => {
  it("is 1 where the map keeps every neighbour", () => {
    const draws = random(1, "plane");
    const map = Float32Array.from({ length: 80 }, () => draws.normal());
    expect(trustworthiness({ values: map, rows: 40, dim: 2 }, map)).toBe(1);
  });

  it("counts by how many ranks a false neighbour is false (by hand)", () => {
    // Input 0 1 3 7 15 31 on a line; the map swaps the first and the last. k = 1, n = 6.
    const input = { values: line(0, 1, 3, 7, 15, 31), rows: 6, dim: 2 };
    // Map: 31 1 3 7 15 0. Nearest in the map: 0→4, 1→5, 2→1, 3→2, 4→3, 5→1.
    // Their ranks in the input: of 4 from 0 (1 3 7 15 31): 4; of 5 from 1 (0 at 1, 3 at 2, 7, 15, 31): 5;
    // of 1 from 2: 1; of 2 from 3: 1; of 3 from 4: 1; of 1 from 5 (15, 7, 3, 1, 0): 4. Penalty 3 + 4 + 3 = 10.
    expect(trustworthiness(input, line(31, 1, 3, 7, 15, 0), 1)).toBeCloseTo(1 - (2 * 10) / (6 * 1 * 8), 12);
  });

  it("is the same through the matrix product as through differences", () => {
    const draws = random(2, "plane");
    const plane = Float32Array.from({ length: 1200 }, () => draws.normal());
    const map = Float32Array.from({ length: 1200 }, (_, i) => plane[i] + 0.2 * draws.normal());
    const padded = new Float32Array(600 * 8);
    for (let row = 0; row < 600; row++) padded.set(plane.subarray(2 * row, 2 * row + 2), 8 * row);
    const direct = trustworthiness({ values: plane, rows: 600, dim: 2 }, map);
    expect(direct).toBeLessThan(0.99);
    expect(trustworthiness({ values: padded, rows: 600, dim: 8 }, map)).toBeCloseTo(direct, 6);
  });
});
