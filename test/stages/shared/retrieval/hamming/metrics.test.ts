import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Counts } from "../../../../../stages/shared/retrieval/hamming/counts.ts";
import { metricsOfCounts } from "../../../../../stages/shared/retrieval/hamming/metrics.ts";
import { vote } from "../../../../../stages/shared/retrieval/hamming/vote.ts";
import { sumOverPlaces } from "../../../../../stages/shared/retrieval/harmonic.ts";
import { Ranking } from "../../../../../stages/shared/retrieval/ranking.ts";
import { codeSets, plainDistances } from "./helpers.ts";

const AT = [1, 3, 10, 100];

/** Average precision of a ranking whose ties are in the order of a second key. */
function averagePrecision(distances: number[], relevant: boolean[], key: (hit: boolean) => number) {
  const order = distances.map((_, i) => i);
  order.sort((a, b) => distances[a] - distances[b] || key(relevant[a]) - key(relevant[b]));
  let hits = 0;
  let sum = 0;
  for (const [place, item] of order.entries()) if (relevant[item]) sum += ++hits / (place + 1);
  return hits ? sum / hits : 0;
}

describe("counts by distance", () => {
  it.each(["wasm-simd", "plain"] as const)("are those of a count by hand (%s)", (engine) => {
    fc.assert(
      fc.property(codeSets(), ({ codes, query, bits, labels, classes }) => {
        const counts = new Counts(codes, bits, labels, classes, engine);
        const distances = plainDistances(codes, query);
        for (let time = 0; time < 2; time++) counts.count(query);
        expect(counts.engine).toBe(engine);
        const [ofClass, all] = [new Uint32Array(classes * (bits + 1)), new Uint32Array(bits + 1)];
        for (const [row, distance] of distances.entries()) {
          ofClass[labels[row] * (bits + 1) + distance]++;
          all[distance]++;
        }
        expect(counts.ofClass).toEqual(ofClass);
        expect(counts.all).toEqual(all);
      }),
    );
  });

  it("give the metrics that the whole ranking gives, and the band of its ties", () => {
    fc.assert(
      fc.property(codeSets({ rows: 120, bits: 64 }), ({ codes, query, bits, labels, classes }) => {
        const counts = new Counts(codes, bits, labels, classes);
        counts.count(query);
        const distances = plainDistances(codes, query);
        const ranking = new Ranking(labels, classes);
        for (let label = 0; label < classes; label++) {
          const relevant = [...labels].map((own) => own === label);
          const {
            map_worst: worst,
            map_best: best,
            precision_radius_2: near2,
            ...found
          } = metricsOfCounts(counts.all, counts.relevant(label), AT);
          const expected = ranking.metrics(Float32Array.from(distances), label, AT);
          for (const name of ["map", "r_precision", "map_at_r"] as const)
            expect(found[name]).toBeCloseTo(expected[name], 10);
          expect(found.precisionAt).toEqual(expected.precisionAt);
          expect(found.recallAt).toEqual(expected.recallAt);
          expect(worst).toBeCloseTo(averagePrecision(distances, relevant, Number), 10);
          expect(best).toBeCloseTo(
            averagePrecision(distances, relevant, (hit) => -Number(hit)),
            10,
          );
          expect(worst).toBeLessThanOrEqual(found.map + 1e-10);
          expect(best).toBeGreaterThanOrEqual(found.map - 1e-10);
          const near = relevant.filter((_, row) => distances[row] <= 2);
          expect(near2).toBe(near.length ? near.filter(Boolean).length / near.length : 0);
        }
      }),
    );
  });

  it("say 0 of a class that has no item, and of a radius that holds none", () => {
    const counts = new Counts(Uint8Array.of(0b111, 0b1111), 8, Uint16Array.of(0, 0), 2);
    counts.count(Uint8Array.of(0));
    const found = metricsOfCounts(counts.all, counts.relevant(1), [1]);
    expect(found).toEqual({
      map: 0,
      r_precision: 0,
      map_at_r: 0,
      precisionAt: [0],
      recallAt: [0],
      map_worst: 0,
      map_best: 0,
      precision_radius_2: 0,
    });
    expect(metricsOfCounts(counts.all, counts.relevant(0), [1])).toMatchObject({
      map_best: 1,
      precision_radius_2: 0,
    });
  });
});

describe("the sum over the places of a tie", () => {
  it("is the same in closed form, however far behind the tie is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100_000 }),
        fc.integer({ min: 17, max: 20_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 100_001 }),
        (before, places, slope, first) => {
          let plain = 0;
          for (let k = 1; k <= places; k++) plain += (first + (k - 1) * slope) / (before + k);
          // The difference of two harmonic numbers is off by its last bit, which a place far behind multiplies.
          const allowed = 1e-12 * plain + 4e-15 * (before + places);
          expect(Math.abs(sumOverPlaces(first, slope, before, places) - plain)).toBeLessThan(allowed);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the vote of the nearest", () => {
  it("is the mean over all choices among the ties", () => {
    fc.assert(
      fc.property(
        codeSets({ rows: 10, bits: 12, classes: 3 }),
        fc.integer({ min: 1, max: 12 }),
        ({ codes, query, bits, labels, classes }, k) => {
          const counts = new Counts(codes, bits, labels, classes);
          counts.count(query);
          const distances = plainDistances(codes, query);
          const last = [...distances].sort((a, b) => a - b)[Math.min(k, distances.length) - 1];
          const rows = distances.map((_, row) => row);
          const nearer = rows.filter((row) => distances[row] < last);
          const ties = rows.filter((row) => distances[row] === last);
          const wanted = Math.min(k - nearer.length, ties.length);
          const votes = new Array<number>(classes).fill(0);
          for (let choice = 0; choice < 2 ** ties.length; choice++) {
            const chosen = ties.filter((_, i) => (choice >> i) & 1);
            if (chosen.length !== wanted) continue;
            for (const row of [...nearer, ...chosen]) votes[labels[row]]++;
          }
          expect(vote(counts, k)).toBe(votes.indexOf(Math.max(...votes)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("goes to the smaller class when votes are equal, to the decimal", () => {
    // Distances 0, 1, 1, 1 of the classes 2, 0, 1, 1: with k = 2, class 2 has 1 vote, class 1 has 2/3.
    const counts = new Counts(Uint8Array.of(0, 1, 2, 4), 8, Uint16Array.of(2, 0, 1, 1), 3);
    counts.count(Uint8Array.of(0));
    expect(vote(counts, 1)).toBe(2);
    expect(vote(counts, 2)).toBe(2);
    expect(vote(counts, 3)).toBe(1); // 1 + 0, 2/3, 4/3
    expect(vote(counts, 4)).toBe(1);
    const even = new Counts(Uint8Array.of(0, 1, 2), 8, Uint16Array.of(2, 1, 1), 3);
    even.count(Uint8Array.of(0));
    expect(vote(even, 2)).toBe(1); // one vote each: two halves, and a whole one
  });

  it("hears all codes when k is more than there are", () => {
    const counts = new Counts(Uint8Array.of(0, 1, 3), 8, Uint16Array.of(0, 1, 1), 2);
    counts.count(Uint8Array.of(0));
    expect(vote(counts, 100)).toBe(1);
  });
});
