import { describe, expect, it } from "vitest";
import { random } from "../../../stages/shared/compute/random.ts";
import { Fft, fastSize } from "../../../stages/tsne/fft.ts";

/** The sum by its definition, of every column. */
function slow(re: Float64Array, im: Float64Array, size: number, width: number) {
  const found = { re: new Float64Array(size * width), im: new Float64Array(size * width) };
  for (let k = 0; k < size; k++)
    for (let j = 0; j < size; j++) {
      const angle = (-2 * Math.PI * j * k) / size;
      for (let column = 0; column < width; column++) {
        const at = j * width + column;
        found.re[k * width + column] += re[at] * Math.cos(angle) - im[at] * Math.sin(angle);
        found.im[k * width + column] += re[at] * Math.sin(angle) + im[at] * Math.cos(angle);
      }
    }
  return found;
}

describe("Fft", () => {
  it.each([2, 3, 4, 5, 16, 30, 60, 90, 128])("of size %s is the sum by its definition", (size) => {
    const draws = random(1, `size ${size}`);
    const width = 3;
    const drawn = () => Float64Array.from({ length: size * width }, () => draws.normal());
    const x = { re: drawn(), im: drawn() };
    const expected = slow(x.re, x.im, size, width);
    const spare = { re: drawn(), im: drawn() };
    const fft = new Fft(size);
    const found = fft.transform(x, spare, width);
    expect(found).toBe(fft.inSpare ? spare : x);
    for (let i = 0; i < size * width; i++) {
      expect(found.re[i]).toBeCloseTo(expected.re[i], 10);
      expect(found.im[i]).toBeCloseTo(expected.im[i], 10);
    }
  });
});

it("fastSize is even, no smaller than asked for, and has no factor above 5", () => {
  expect([1, 7, 14, 61, 127, 1201].map(fastSize)).toEqual([2, 8, 16, 64, 128, 1250]);
});
