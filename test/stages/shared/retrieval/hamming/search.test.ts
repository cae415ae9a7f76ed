import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../../../../../stages/shared/artifacts/codes.ts";
import { random } from "../../../../../stages/shared/compute/random.ts";
import { MultiIndex, substringsFor } from "../../../../../stages/shared/retrieval/hamming/multi-index.ts";
import { Scan } from "../../../../../stages/shared/retrieval/hamming/scan.ts";
import { codeSets, plainDistances } from "./helpers.ts";

/** The nearest codes by a stable sort. */
function plainly(codes: Uint8Array, query: Uint8Array, k: number) {
  const distances = plainDistances(codes, query);
  const rows = distances.map((_, row) => row);
  rows.sort((a, b) => distances[a] - distances[b] || a - b);
  const first = rows.slice(0, k);
  return { rows: first, distances: first.map((row) => distances[row]) };
}

const listed = ({ rows, distances }: { rows: Uint32Array; distances: Uint16Array }) => ({
  rows: [...rows],
  distances: [...distances],
});

/** Codes around centres: a share of the bits of each is flipped, so that some lie near a query, and some at it. */
function clustered(bits: number, rows: number, flipped: number, seed: number): Uint8Array {
  const draw = random(seed, "clusters");
  const bytes = bytesOf(bits);
  const centres = Uint8Array.from({ length: 4 * bytes }, () => draw.int(256));
  const codes = new Uint8Array(rows * bytes);
  for (let row = 0; row < rows; row++) {
    const centre = draw.int(4);
    for (let bit = 0; bit < bits; bit++) {
      const [byte, place] = [bit >> 3, bit & 7];
      const own = (centres[centre * bytes + byte] >> place) & 1;
      codes[row * bytes + byte] |= (draw.float() < flipped ? 1 - own : own) << place;
    }
  }
  return codes;
}

it.each([
  Scan,
  MultiIndex,
])("no codes, and queries of another length, are refused in one line", (Searcher) => {
  expect(() => new Searcher(new Uint8Array(0), 64)).toThrow(/^there are no codes to search.*empty\.$/);
  const searcher = new Searcher(new Uint8Array(16), 64);
  expect(() => searcher.nearest(new Uint8Array(6), 1)).toThrow(
    /^a query of 6 bytes .* codes of 64 bits, which take 8\. Encode it.*$/,
  );
});

describe("a scan", () => {
  it.each(["wasm-simd", "plain"] as const)("finds the nearest of codes of any length (%s)", (engine) => {
    fc.assert(
      fc.property(codeSets({ rows: 100 }), fc.integer({ min: 1, max: 220 }), (set, k) => {
        const scan = new Scan(set.codes, set.bits, engine);
        for (let time = 0; time < 2; time++)
          expect(listed(scan.nearest(set.query, k))).toEqual(plainly(set.codes, set.query, k));
      }),
      { numRuns: 40 },
    );
  });
});

describe("multi-index hashing", () => {
  it("cuts codes so that a table has about as many values as there are codes, and no more", () => {
    expect(substringsFor(64, 2 ** 16)).toBe(4);
    expect(substringsFor(128, 2 ** 16)).toBe(8);
    expect(substringsFor(64, 1_000_000)).toBe(4); // 3.2, and none wider than the codes are many
    expect(substringsFor(1, 1_000_000)).toBe(1);
    expect(substringsFor(512, 1)).toBe(512);
    expect(substringsFor(512, 2 ** 31)).toBe(22); // 24 bits at most: 2^24 values
  });

  it("finds what a scan finds, in its order, at any number of substrings", () => {
    const shape = fc.record({
      bits: fc.oneof(fc.constantFrom(1, 12, 32, 48, 64, 128), fc.integer({ min: 1, max: 160 })),
      rows: fc.integer({ min: 1, max: 600 }),
      flipped: fc.double({ min: 0, max: 0.5, noNaN: true }),
      k: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 700 })),
      substrings: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
      cost: fc.constantFrom(0, 1, undefined),
      seed: fc.nat(),
    });
    let byScan = 0;
    fc.assert(
      fc.property(shape, ({ bits, rows, flipped, k, substrings, cost, seed }) => {
        const cut = substrings && Math.max(Math.ceil(bits / 10), substrings); // small tables: a fast test
        const bytes = bytesOf(bits);
        const codes = clustered(bits, rows + 2, flipped, seed);
        const database = codes.subarray(2 * bytes);
        const index = new MultiIndex(database, bits, { substrings: cut, cost });
        const scan = new Scan(database, bits);
        for (const at of [0, 1, 0]) {
          const query = codes.subarray(at * bytes, (at + 1) * bytes);
          expect(listed(index.nearest(query, k))).toEqual(listed(scan.nearest(query, k)));
        }
        if (cost === 0) expect(index.answered).toBe(3);
        byScan += 3 - index.answered;
      }),
      { numRuns: 60 },
    );
    expect(byScan).toBeGreaterThan(15);
  });
});
