import fc from "fast-check";
import { expect, it } from "vitest";
import { bitUse } from "../../../stages/evaluate-codes/bits.ts";
import { bytesOf } from "../../../stages/shared/artifacts/codes.ts";
import { codeSets } from "../shared/retrieval/hamming/helpers.ts";

it("says how bits are used as a plain count does", () => {
  fc.assert(
    fc.property(codeSets({ bits: 40 }), ({ codes, bits, rows }) => {
      const bytes = bytesOf(bits);
      const bit = (row: number, j: number) => (codes[row * bytes + (j >> 3)] >> (j & 7)) & 1;
      const mean = (of: (row: number) => number) => {
        let sum = 0;
        for (let row = 0; row < rows; row++) sum += of(row);
        return sum / rows;
      };
      const shares = Array.from({ length: bits }, (_, j) => mean((row) => bit(row, j)));
      const deviations = shares.map((p, j) => Math.sqrt(mean((row) => (bit(row, j) - p) ** 2)));
      const correlations: number[] = [];
      for (let a = 0; a < bits; a++)
        for (let b = a + 1; b < bits; b++)
          if (deviations[a] > 0 && deviations[b] > 0)
            correlations.push(
              Math.abs(mean((row) => (bit(row, a) - shares[a]) * (bit(row, b) - shares[b]))) /
                (deviations[a] * deviations[b]),
            );
      const off = shares.map((p) => Math.abs(p - 0.5));
      const average = (numbers: number[]) =>
        numbers.length ? numbers.reduce((sum, value) => sum + value, 0) / numbers.length : 0;
      const found = bitUse(codes, bits);
      expect(found.balance.mean).toBeCloseTo(average(off), 5);
      expect(found.balance.worst).toBeCloseTo(Math.max(...off), 5);
      expect(found.dead).toBe(shares.filter((p) => p === 0 || p === 1).length);
      expect(found.correlation.mean).toBeCloseTo(average(correlations), 5);
      expect(found.correlation.largest).toBeCloseTo(Math.max(0, ...correlations), 5);
      const texts = Array.from({ length: rows }, (_, row) =>
        codes.slice(row * bytes, (row + 1) * bytes).join(),
      );
      expect(found.distinct).toBe(new Set(texts).size);
      expect(found.bytes).toBe(bytes);
    }),
  );
});

it("knows a bit that is another's opposite", () => {
  const { correlation } = bitUse(Uint8Array.of(0b01, 0b10, 0b10, 0b01), 2);
  expect(correlation).toEqual({ mean: 1, largest: 1 });
});
