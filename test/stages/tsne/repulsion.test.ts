import { describe, expect, it } from "vitest";
import { random } from "../../../stages/shared/compute/random.ts";
import { gridRepulsion } from "../../../stages/tsne/grid.ts";
import { exactRepulsion, plainRepulsion } from "../../../stages/tsne/pairs.ts";
import { repulsionOf } from "../../../stages/tsne/repulsion.ts";

/** The double loop over ordered pairs. */
function expected(map: Float64Array) {
  const forces = new Float64Array(map.length);
  let total = 0;
  for (let i = 0; i < map.length; i += 2)
    for (let j = 0; j < map.length; j += 2) {
      if (i === j) continue;
      const [dx, dy] = [map[i] - map[j], map[i + 1] - map[j + 1]];
      const q = 1 / (1 + dx * dx + dy * dy);
      total += q;
      forces[i] += q * q * dx;
      forces[i + 1] += q * q * dy;
    }
  return { forces, total };
}

const scattered = (points: number, width: number) => {
  const draws = random(4, "scattered");
  return Float64Array.from({ length: 2 * points }, () => width * draws.normal());
};

/** Root mean square of the difference, relative to `b`. */
function relativeError(a: Float64Array, b: Float64Array): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    error += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(error / size);
}

describe("exactRepulsion", () => {
  it.each([1e-4, 1, 30])("is the double loop, on a map of width %s", (width) => {
    const map = scattered(300, width);
    const { forces, total } = expected(map);
    const found = new Float64Array(600);
    expect(exactRepulsion(300)(map, found)).toBeCloseTo(total, 6);
    expect(relativeError(found, forces)).toBeLessThan(1e-12);
  });
});

describe("the kernel in WebAssembly", () => {
  it.each([1, 2, 3, 17, 2000])("has the bytes of the plain loops, of %s points", (points) => {
    const repel = exactRepulsion(2000);
    expect(repel).not.toBe(plainRepulsion);
    for (const width of [1e-4, 1, 30]) {
      const map = scattered(points, width);
      map.set(map.subarray(0, 2), 2 * (points - 1)); // two points in one place
      const [found, wanted] = [new Float64Array(2 * points).fill(7), new Float64Array(2 * points)];
      expect(repel(map, found)).toBe(plainRepulsion(map, wanted));
      expect(found).toEqual(wanted);
    }
  });
});

describe("gridRepulsion", () => {
  // The grid gets finer on a narrow map, so its error falls with the width.
  it.each([
    [1e-4, 1e-5],
    [1, 1e-3],
    [10, 0.02],
    [20, 0.02],
  ])("is near the double loop, on a map of width %s", (width, limit) => {
    const map = scattered(1000, width);
    const { forces, total } = expected(map);
    const found = new Float64Array(2000);
    const repel = gridRepulsion(1000);
    expect(Math.abs(repel(map, found) / total - 1)).toBeLessThan(limit);
    expect(relativeError(found, forces)).toBeLessThan(limit);
  });

  it("is the same after a map of another width: nothing of the last call is left", () => {
    const repel = gridRepulsion(200);
    const [first, again] = [new Float64Array(400), new Float64Array(400)];
    const total = repel(scattered(200, 3), first);
    repel(scattered(200, 40), again);
    expect(repel(scattered(200, 3), again)).toBe(total);
    expect(again).toEqual(first);
  });

  it("takes points that coincide, and one far away", () => {
    const found = new Float64Array(100);
    expect(gridRepulsion(50)(new Float64Array(100).fill(3), found)).toBeCloseTo(50 * 49, 6);
    expect(Math.max(...found.map(Math.abs))).toBeLessThan(1e-6);
    const map = scattered(50, 5);
    map[0] = 1e5; // too wide for a grid: every pair
    expect(gridRepulsion(50)(map, found)).toBeCloseTo(expected(map).total, 6);
    expect(relativeError(found, expected(map).forces)).toBeLessThan(1e-12);
  });

  it("refuses a map that diverged", () => {
    const map = scattered(50, 5);
    map[7] = Number.NaN;
    expect(() => gridRepulsion(50)(map, new Float64Array(100))).toThrow("NaN or infinite");
  });
});

it("repulsionOf is exact where that is faster", () => {
  for (const [points, isExact] of [
    [2000, true],
    [2001, false],
  ] as const) {
    const map = scattered(points, 10);
    const [found, wanted] = [new Float64Array(2 * points), new Float64Array(2 * points)];
    repulsionOf(points)(map, found);
    plainRepulsion(map, wanted);
    expect(relativeError(found, wanted) === 0).toBe(isExact);
  }
});
