import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";

const take = (count: number, draw: () => number) => Array.from({ length: count }, draw);
/** Mean of a value over many draws. */
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("random", () => {
  it("gives known values, so that results stay the same from one release to the next", () => {
    const draw = random(1, "sampler");
    expect(take(6, () => draw.int(1000))).toEqual([299, 866, 717, 237, 242, 649]);
    expect(take(3, () => draw.float())).toEqual([
      0.5906047752671395, 0.43311337282909246, 0.7076799282755728,
    ]);
    expect(take(2, () => draw.normal())).toEqual([-0.5720803689937799, 0.4185783961851322]);
    expect(draw.shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toEqual([3, 7, 6, 0, 4, 2, 1, 5]);
  });

  it("gives the same stream for the same seed and name", () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), (seed, name) => {
        const [a, b] = [random(seed, name), random(seed, name)];
        expect(take(20, () => a.int(1 << 20))).toEqual(take(20, () => b.int(1 << 20)));
      }),
    );
  });

  it("gives another stream for another name, and for another seed", () => {
    const names = ["split", "sampler", "sampler ", "dropout", "", "a", "b", "ab", "ba"];
    const seeds = [-1, 0, 1, 2, 3, 1000, 2 ** 31 - 1];
    const start = (seed: number, name: string) => {
      const draw = random(seed, name);
      return take(4, () => draw.int(1 << 30)).join();
    };
    const starts = seeds.flatMap((seed) => names.map((name) => start(seed, name)));
    expect(new Set(starts).size).toBe(names.length * seeds.length);
  });

  it("does not let neighbouring seeds begin alike", () => {
    const firsts = Array.from({ length: 4000 }, (_, seed) => random(seed, "sampler").float());
    // Spread evenly over [0, 1), and the next seed's number tells nothing of the last one's.
    expect(mean(firsts)).toBeCloseTo(0.5, 1);
    const pairs = firsts.slice(1).map((value, i) => (value - 0.5) * (firsts[i] - 0.5) * 12);
    expect(Math.abs(mean(pairs))).toBeLessThan(4 / Math.sqrt(4000));
  });
});

describe("int", () => {
  it("stays in its bounds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer(), (below, seed) => {
        const draw = random(seed, "int");
        for (const value of take(50, () => draw.int(below))) {
          expect(Number.isInteger(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThan(below);
        }
      }),
    );
    expect(take(5, () => random(1, "one").int(1))).toEqual([0, 0, 0, 0, 0]);
  });

  it("draws each number as often as the others", () => {
    const draw = random(3, "uniform");
    for (const below of [2, 7, 10, 33]) {
      const each = 3000;
      const counts = new Array(below).fill(0);
      for (let i = 0; i < below * each; i++) counts[draw.int(below)]++;
      // Pearson's chi-square: its mean is below - 1, its variance twice that; five deviations.
      const chi = counts.reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
      expect(chi).toBeLessThan(below - 1 + 5 * Math.sqrt(2 * (below - 1)));
    }
  });
});

describe("float and normal", () => {
  it("have the moments of their distributions", () => {
    const draw = random(5, "moments");
    const floats = take(20_000, () => draw.float());
    expect(Math.min(...floats)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...floats)).toBeLessThan(1);
    expect(Math.abs(mean(floats) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / 20_000));
    const normals = take(20_000, () => draw.normal());
    expect(normals.every(Number.isFinite)).toBe(true);
    expect(Math.abs(mean(normals))).toBeLessThan(5 / Math.sqrt(20_000));
    expect(Math.abs(mean(normals.map((value) => value ** 2)) - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    expect(Math.abs(mean(normals.map((value) => Number(Math.abs(value) < 1.96))) - 0.95)).toBeLessThan(0.01);
  });
});

describe("shuffle", () => {
  it("keeps all items, in place", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const copy = [...items];
        expect(random(seed, "shuffle").shuffle(copy)).toBe(copy);
        expect(copy.toSorted()).toEqual(items.toSorted());
      }),
    );
    expect([...random(1, "typed").shuffle(Uint8Array.of(1, 2, 3))].toSorted()).toEqual([1, 2, 3]);
  });

  it("gives each of the orders as often as the others", () => {
    const draw = random(7, "orders");
    const counts = new Map<string, number>();
    const each = 1000;
    for (let i = 0; i < 24 * each; i++) {
      const order = draw.shuffle([0, 1, 2, 3]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chi = [...counts.values()].reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
    expect(chi).toBeLessThan(23 + 5 * Math.sqrt(46));
  });
});
