import { beforeAll, describe, expect, it } from "vitest";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { affinities, conditional } from "../../../stages/tsne/affinities.ts";
import { nearest } from "../../../stages/tsne/neighbours.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

/** Points `[rows, dim]` of a normal distribution. */
function cloud(rows: number, dim: number) {
  const draws = random(7, "cloud");
  return { values: Float32Array.from({ length: rows * dim }, () => draws.normal()), rows, dim };
}

describe("nearest", () => {
  it.each([2, 16])("finds what a full sort finds, in %i dimensions", (dim) => {
    const points = cloud(700, dim); // more than one block of the product
    const { indices, distances } = nearest(points, 9);
    for (const row of [0, 1, 499, 500, 699]) {
      const all = Array.from({ length: 700 }, (_, other) => {
        let sum = 0;
        for (let i = 0; i < dim; i++)
          sum += (points.values[row * dim + i] - points.values[other * dim + i]) ** 2;
        return { other, sum };
      })
        .filter(({ other }) => other !== row)
        .sort((a, b) => a.sum - b.sum)
        .slice(0, 9);
      expect([...indices.subarray(row * 9, row * 9 + 9)]).toEqual(all.map(({ other }) => other));
      expect([...distances.subarray(row * 9, row * 9 + 9)]).toEqual(all.map(({ sum }) => sum));
    }
  });

  it("does not count a point among its neighbours when others lie on it", () => {
    const points = { values: new Float32Array(8 * 5), rows: 8, dim: 5 };
    const { indices, distances } = nearest(points, 7);
    for (let row = 0; row < 8; row++) {
      const own = [...indices.subarray(row * 7, row * 7 + 7)];
      expect(own).toEqual([0, 1, 2, 3, 4, 5, 6, 7].filter((other) => other !== row));
    }
    expect(Math.max(...distances)).toBe(0);
  });
});

describe("conditional", () => {
  it("reaches the entropy of the perplexity", () => {
    const draws = random(1, "distances");
    const distances = Float64Array.from({ length: 91 }, () => 1e3 + 50 * draws.float());
    const p = new Float64Array(91);
    conditional(distances, 30, p);
    expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    const entropy = -p.reduce((sum, value) => sum + (value > 0 ? value * Math.log(value) : 0), 0);
    expect(Math.exp(entropy)).toBeCloseTo(30, 2);
  });

  it("is even over neighbours at one distance", () => {
    const p = new Float64Array(4);
    conditional(new Float64Array(4).fill(2), 3, p);
    expect([...p]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe("affinities", () => {
  it("are symmetric, sum to 1, and are half of what each end says, over n", () => {
    const rows = 60;
    const near = nearest(cloud(rows, 6), 12);
    const { starts, columns, values } = affinities(near, 4);
    const dense = new Float64Array(rows * rows);
    for (let row = 0; row < rows; row++)
      for (let at = starts[row]; at < starts[row + 1]; at++) dense[row * rows + columns[at]] = values[at];
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < rows; j++) expect(dense[i * rows + j]).toBeCloseTo(dense[j * rows + i], 15);
    const said = (i: number, j: number) => {
      const p = new Float64Array(12);
      conditional(near.distances.subarray(i * 12, i * 12 + 12), 4, p);
      const place = near.indices.subarray(i * 12, i * 12 + 12).indexOf(j);
      return place < 0 ? 0 : p[place];
    };
    for (const j of [3, 17, columns[starts[5]]])
      expect(dense[5 * rows + j]).toBeCloseTo((said(5, j) + said(j, 5)) / (2 * rows), 15);
  });
});
