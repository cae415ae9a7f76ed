/** Codes for tests, and what is asked of them done plainly. */
import fc from "fast-check";
import { bytesOf, packSigns } from "../../../../stages/shared/codes.ts";

/** Random codes with classes and a query, of any length; the fewer bits, the more ties. */
export const codeSets = ({ bits = 512, rows = 70, classes = 4 } = {}) =>
  fc
    .record({
      bits: fc.oneof(fc.integer({ min: 1, max: Math.min(bits, 12) }), fc.integer({ min: 1, max: bits })),
      rows: fc.integer({ min: 1, max: rows }),
      classes: fc.integer({ min: 1, max: classes }),
      /** Share of ones, in tenths: far from 5, codes lie near each other. */
      ones: fc.integer({ min: 0, max: 10 }),
    })
    .chain((shape) =>
      fc
        .record({
          draws: fc.array(fc.integer({ min: 0, max: 9 }), {
            minLength: (shape.rows + 1) * shape.bits,
            maxLength: (shape.rows + 1) * shape.bits,
          }),
          labels: fc.array(fc.integer({ min: 0, max: shape.classes - 1 }), {
            minLength: shape.rows,
            maxLength: shape.rows,
          }),
        })
        .map(({ draws, labels }) => {
          const signs = Float32Array.from(draws, (draw) => (draw < shape.ones ? 1 : -1));
          const packed = packSigns(signs, shape.bits);
          const bytes = bytesOf(shape.bits);
          return {
            ...shape,
            codes: packed.slice(0, shape.rows * bytes),
            query: packed.slice(shape.rows * bytes),
            labels: Uint16Array.from(labels),
          };
        }),
    );

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
