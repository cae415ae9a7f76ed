import { beforeAll, describe, expect, it } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { affinities } from "../../../stages/tsne/affinities.ts";
import { principalComponents, tsne } from "../../../stages/tsne/embed.ts";
import { divergence, gradient } from "../../../stages/tsne/gradient.ts";
import { gridRepulsion } from "../../../stages/tsne/grid.ts";
import { nearest } from "../../../stages/tsne/neighbours.ts";
import { exactRepulsion } from "../../../stages/tsne/pairs.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

/** `classes` tight clusters in 8 dimensions, far apart; row i is in cluster i % classes. */
function clusters(rows: number, classes: number) {
  const draws = random(11, "clusters");
  const dim = 8;
  const values = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < dim; i++)
      values[row * dim + i] = draws.normal() * 0.3 + (i === row % classes ? 10 : 0);
  return { values, rows, dim };
}

describe("gradient", () => {
  it("is the slope of the divergence (finite differences)", () => {
    const points = clusters(40, 3);
    const joint = affinities(nearest(points, 15), 5);
    const draws = random(2, "map");
    const map = Float64Array.from({ length: 80 }, () => 3 * draws.normal());
    const exact = exactRepulsion(40);
    const [forces, slope, spare] = [0, 0, 0].map(() => new Float64Array(80));
    gradient(joint, exact, map, 1, forces, slope);
    const at = (place: number, shift: number) => {
      const moved = map.slice();
      moved[place] += shift;
      return divergence(joint, moved, gradient(joint, exact, moved, 1, forces, spare));
    };
    for (let place = 0; place < 80; place += 7) {
      const slopeThere = (at(place, 1e-5) - at(place, -1e-5)) / 2e-5;
      expect(slope[place]).toBeCloseTo(slopeThere, 8);
    }
  });
});

describe("principalComponents", () => {
  it("finds the axes of largest variance, with a sign that no seed turns", () => {
    const draws = random(3, "axes");
    const rows = 400;
    const values = new Float32Array(rows * 5);
    for (let row = 0; row < rows; row++) {
      values[row * 5 + 3] = 100 - 9 * draws.normal();
      values[row * 5 + 1] = 4 * draws.normal();
      values[row * 5] = draws.normal();
    }
    const found = principalComponents({ values, rows, dim: 5 }, 1);
    const again = principalComponents({ values, rows, dim: 5 }, 99);
    let [covered, whole] = [0, 0];
    for (let row = 0; row < rows; row++) {
      covered += found[2 * row] * (values[row * 5 + 3] - 100);
      whole += found[2 * row] ** 2;
      expect(again[2 * row]).toBeCloseTo(found[2 * row], 5);
      expect(again[2 * row + 1]).toBeCloseTo(found[2 * row + 1], 5);
    }
    expect(covered / whole).toBeGreaterThan(0.98); // along +axis 3, whose spread is 9
    expect(Math.sqrt(whole / rows)).toBeGreaterThan(8);
  });

  it("are 0 along an axis that the points lack", () => {
    expect([...principalComponents({ values: Float32Array.of(1, 3), rows: 2, dim: 1 }, 1)]).toEqual([
      -1, 0, 1, 0,
    ]);
    expect([...principalComponents({ values: new Float32Array(6).fill(2), rows: 2, dim: 3 }, 1)]).toEqual([
      0, 0, 0, 0,
    ]);
  });
});

describe("tsne", () => {
  const options = { perplexity: 10, iterations: 500, seed: 1 };

  it.each([
    ["of every pair", exactRepulsion(150)],
    ["by a grid", gridRepulsion(150)],
  ])("keeps clusters apart and together, its repulsion %s", (_, repulsion) => {
    const { map, kl } = tsne(clusters(150, 3), { ...options, repulsion });
    const centre = (own: number) => {
      let [x, y] = [0, 0];
      for (let row = own; row < 150; row += 3) {
        x += map[2 * row] / 50;
        y += map[2 * row + 1] / 50;
      }
      return [x, y];
    };
    const centres = [0, 1, 2].map(centre);
    for (let row = 0; row < 150; row++) {
      const distances = centres.map(([x, y]) => Math.hypot(map[2 * row] - x, map[2 * row + 1] - y));
      expect(distances.indexOf(Math.min(...distances))).toBe(row % 3);
    }
    expect(kl).toBeGreaterThan(0);
    expect(kl).toBeLessThan(1);
  });

  it("is the same bytes again", () => {
    const first = tsne(clusters(120, 4), options);
    const second = tsne(clusters(120, 4), options);
    expect(second).toEqual(first);
  });

  it("goes on falling after the early exaggeration", () => {
    const short = tsne(clusters(120, 4), { ...options, iterations: 250 });
    const long = tsne(clusters(120, 4), { ...options, iterations: 750 });
    expect(long.kl).toBeLessThan(short.kl);
  });
});
