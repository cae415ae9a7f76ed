import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Blocks } from "../../../../../stages/shared/retrieval/hamming/blocks.ts";
import { createKernel } from "../../../../../stages/shared/retrieval/hamming/engine.ts";
import { hasSimd } from "../../../../../stages/shared/retrieval/hamming/simd.ts";
import { codeSets, plainDistances } from "./helpers.ts";

const ENGINES = ["wasm-simd", "plain"] as const;

it("is vectors of WebAssembly wherever these are", () => {
  expect(createKernel(8, 1024).engine).toBe(hasSimd() ? "wasm-simd" : "plain");
});

describe.each(ENGINES)("the kernel in %s", (engine) => {
  it("measures the distance of codes of any length, in any order", () => {
    fc.assert(
      fc.property(codeSets(), fc.boolean(), ({ codes, query, bits, rows }, backwards) => {
        const order = Uint32Array.from({ length: rows }, (_, place) => rows - 1 - place);
        const expected = plainDistances(codes, query);
        const blocks = new Blocks(codes, bits, backwards ? order : undefined, 0, engine);
        expect([...blocks.measure(query)]).toEqual(backwards ? expected.toReversed() : expected);
      }),
    );
  });

  it("measures distances that no byte holds", () => {
    const codes = new Uint8Array(2 * 64).fill(255, 0, 64);
    expect([...new Blocks(codes, 512, undefined, 0, engine).measure(new Uint8Array(64))]).toEqual([512, 0]);
  });

  it("counts any run of distances, on top of earlier counts", () => {
    const run = fc.array(fc.integer({ min: 0, max: 512 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(run, fc.nat(), fc.nat(), (distances, a, b) => {
        const [from, to] = [a % (distances.length + 1), b % (distances.length + 1)].sort((x, y) => x - y);
        const counters = 1024;
        const kernel = createKernel(1, counters + 16 * 513, engine);
        new Uint16Array(kernel.buffer, 0, distances.length).set(distances);
        const cells = new Uint32Array(kernel.buffer, counters, 4 * 513);
        for (let time = 0; time < 2; time++) kernel.count(2 * from, to - from, counters);
        const sums = new Uint32Array(513);
        for (const [i, cell] of cells.entries()) sums[i >> 2] += cell;
        const plain = new Uint32Array(513);
        for (const distance of distances.slice(from, to)) plain[distance] += 2;
        expect(sums).toEqual(plain);
      }),
    );
  });

  it("selects the places of all distances up to a limit", () => {
    const eights = fc.integer({ min: 1, max: 5 }).chain((count) =>
      fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(0xffff)), {
        minLength: 8 * count,
        maxLength: 8 * count,
      }),
    );
    fc.assert(
      fc.property(eights, fc.integer({ min: 0, max: 10 }), (distances, limit) => {
        const out = 256;
        const kernel = createKernel(1, 1024, engine);
        new Uint16Array(kernel.buffer, 0, distances.length).set(distances);
        const end = kernel.select(0, distances.length / 8, limit, out);
        const places = [...new Uint32Array(kernel.buffer, out, (end - out) / 4)];
        expect(places).toEqual(distances.flatMap((own, place) => (own <= limit ? [place] : [])));
      }),
    );
  });
});
