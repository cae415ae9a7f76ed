import { describe, expect, it } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import { agreement, kMeans } from "../../../../stages/shared/retrieval/clustering.ts";

const entropy = (counts: number[], items: number) =>
  counts.reduce((sum, count) => sum - (count ? (count / items) * Math.log(count / items) : 0), 0);
const countsOf = (keys: unknown[]) =>
  [...new Set(keys.map(String))].map((key) => keys.filter((own) => String(own) === key).length);
/** Mutual information by its definition. */
function information(a: number[], b: number[]): number {
  const pairs = a.map((own, i) => `${own} ${b[i]}`);
  return entropy(countsOf(a), a.length) + entropy(countsOf(b), a.length) - entropy(countsOf(pairs), a.length);
}
const orders = (items: number[]): number[][] =>
  items.length < 2
    ? [items]
    : items.flatMap((first, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));

describe("agreement", () => {
  it("is, adjusted, less than the mean over every way to hand out the clusters", () => {
    for (const [classes, clusters] of [
      [
        [0, 0, 0, 1, 1, 2, 2],
        [0, 0, 1, 1, 1, 2, 0],
      ],
      [
        [0, 0, 1, 1, 2, 2],
        [0, 1, 0, 1, 0, 1],
      ],
    ]) {
      const every = orders(clusters);
      const chance = every.reduce((sum, order) => sum + information(classes, order), 0) / every.length;
      const mean =
        (entropy(countsOf(classes), classes.length) + entropy(countsOf(clusters), classes.length)) / 2;
      const { nmi, ami } = agreement(classes, clusters);
      expect(nmi).toBeCloseTo(information(classes, clusters) / mean, 10);
      expect(ami).toBeCloseTo((information(classes, clusters) - chance) / (mean - chance), 10);
    }
  });

  it("gives what scikit-learn's documentation gives", () => {
    expect(agreement([0, 0, 1, 1], [0, 0, 1, 1])).toEqual({ nmi: 1, ami: 1 });
    expect(agreement([0, 0, 1, 1], [1, 1, 0, 0])).toEqual({ nmi: 1, ami: 1 });
    const none = agreement([0, 0, 0, 0], [0, 1, 2, 3]);
    expect(none.nmi).toBe(0);
    expect(none.ami).toBeCloseTo(0, 12);
  });
});

describe("kMeans", () => {
  const draw = random(4, "blobs");
  const classes = Array.from({ length: 90 }, (_, i) => i % 3);
  const values = Float32Array.from(classes.flatMap((label) => [10 * label + draw.normal(), draw.normal()]));

  it("finds clusters that lie apart, the same for the same seed", () => {
    const clusters = kMeans(values, 2, 3, random(1, "k-means"));
    expect(agreement(classes, clusters)).toEqual({ nmi: expect.closeTo(1, 9), ami: expect.closeTo(1, 9) });
    expect(kMeans(values, 2, 3, random(1, "k-means"))).toEqual(clusters);
  });

  it("takes more clusters than different vectors", () => {
    expect(kMeans(new Float32Array(8), 2, 3, random(1, "k-means"))).toHaveLength(4);
  });
});
