import { describe, expect, it } from "vitest";
import { beyond, differenceOf, holm } from "../../../../stages/report/numbers/significance.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { drawMeans, percentileInterval } from "../../../../stages/shared/statistics/bootstrap.ts";

const draws = random(5, "scores");
const queries = 400;
const hardness = Float64Array.from({ length: queries }, () => 0.3 * draws.normal());
/** A run that finds hard what all find hard. */
const run = (mean: number, own = 0.02) => hardness.map((value) => mean + value + own * draws.normal());
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("drawMeans", () => {
  const seeds = ["1", "2", "3"];
  const better = { seeds, runs: [run(0.61), run(0.62), run(0.63)] };
  const worse = { seeds, runs: [run(0.6), run(0.61), run(0.62)] };

  it("spreads a mean as far as theory says: s / sqrt(n)", () => {
    const [{ queries: means }] = drawMeans([{ seeds: ["1"], runs: [run(0.5)] }], 4000, random(1, "b"));
    const centre = mean(means);
    const spread = Math.sqrt(mean(means.map((value) => (value - centre) ** 2)));
    expect(spread / (0.3 / Math.sqrt(queries))).toBeGreaterThan(0.9);
    expect(spread / (0.3 / Math.sqrt(queries))).toBeLessThan(1.1);
    const { low, high } = percentileInterval(means);
    expect(high - low).toBeGreaterThan(3.5 * spread);
    expect(high - low).toBeLessThan(4.3 * spread);
  });

  it("is paired: difficulty and luck that both share fall out of the difference", () => {
    const [a, b] = drawMeans([better, worse], 2000, random(1, "b"));
    const difference = mean(a.both) - mean(b.both);
    const paired = differenceOf(a, b, difference);
    expect(paired.low).toBeGreaterThan(0);
    expect(paired.p).toBeLessThan(0.001);
    // The same scores, drawn apart: the difference of 0.01 drowns.
    const [apart] = drawMeans([worse], 2000, random(2, "b"));
    const unpaired = differenceOf(a, apart, difference);
    expect(unpaired.low).toBeLessThan(0);
    expect(unpaired.p).toBeGreaterThan(0.05);
  });

  it("draws seeds as well as queries", () => {
    const far = { seeds, runs: [run(0.2), run(0.5), run(0.8)] };
    const [drawn] = drawMeans([far], 2000, random(1, "b"));
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    expect(width(percentileInterval(drawn.both))).toBeGreaterThan(
      5 * width(percentileInterval(drawn.queries)),
    );
  });

  it("holds a group against one run alone, and against itself", () => {
    const raw = { seeds: [""], runs: [run(0.4)] };
    const [a, b, again] = drawMeans([better, raw, better], 1000, random(1, "b"));
    expect(differenceOf(a, b, 0.22).low).toBeGreaterThan(0.15);
    expect(differenceOf(a, again, 0)).toEqual({ low: 0, high: 0, p: 1 });
  });

  it("gives the same draws for the same seed", () => {
    expect(drawMeans([better], 50, random(3, "b"))).toEqual(drawMeans([better], 50, random(3, "b")));
    expect(drawMeans([better], 50, random(4, "b"))).not.toEqual(drawMeans([better], 50, random(3, "b")));
  });
});

describe("beyond", () => {
  it.each([
    [0, 1],
    [1, 0.3173105],
    [1.959964, 0.05],
    [-3, 0.002699796],
  ])("P(|Z| > %f) is %f", (z, p) => {
    expect(beyond(z)).toBeCloseTo(p, 6);
  });
});

describe("holm", () => {
  it("multiplies by the number of those not yet rejected, and never falls (by hand)", () => {
    const corrected = holm([0.01, 0.04, 0.03, 0.005]);
    for (const [index, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(corrected[index]).toBeCloseTo(p, 12);
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
  });
});
