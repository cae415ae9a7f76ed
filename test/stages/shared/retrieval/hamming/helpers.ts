/** Codes for tests, and plain implementations of the searches. */
import fc from "fast-check";
import { packSigns } from "../../../../../stages/shared/artifacts/codes.ts";
import { random } from "../../../../../stages/shared/compute/random.ts";

/** Random codes with classes and a query, of any length; the fewer bits, the more ties. */
export const codeSets = ({ bits = 512, rows = 70, classes = 4 } = {}) =>
  fc
    .record({
      bits: fc.oneof(fc.integer({ min: 1, max: Math.min(bits, 12) }), fc.integer({ min: 1, max: bits })),
      rows: fc.integer({ min: 1, max: rows }),
      classes: fc.integer({ min: 1, max: classes }),
      /** Share of ones: far from a half, codes lie near each other. */
      ones: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
    })
    .map((shape) => {
      const { bits, rows, classes, ones, seed } = shape;
      const draw = random(seed, "codes");
      const pack = (count: number) =>
        packSigns(
          Float32Array.from({ length: count * bits }, () => (draw.float() < ones ? 1 : -1)),
          bits,
        );
      const labels = Uint16Array.from({ length: rows }, () => draw.int(classes));
      return { bits, rows, classes, codes: pack(rows), query: pack(1), labels };
    });

/** The distance of a query to each code, bit by bit. */
export function plainDistances(codes: Uint8Array, query: Uint8Array): number[] {
  const bytes = query.length;
  return Array.from({ length: codes.length / bytes }, (_, row) => {
    let distance = 0;
    for (let byte = 0; byte < bytes; byte++)
      for (let bit = 0; bit < 8; bit++) distance += ((codes[row * bytes + byte] ^ query[byte]) >> bit) & 1;
    return distance;
  });
}
