import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Resizer } from "../../../../stages/shared/pixels/resize.ts";
import type { Scaling } from "../../../../stages/shared/pixels/shape.ts";

/** Bytes enter as they are. */
const PLAIN = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;

function resize(
  pixels: number[],
  [height, width, channels]: [number, number, number],
  size: number,
  scaling: Scaling = PLAIN,
  mirrored = false,
): number[] {
  const images = pixels.length / (height * width * channels);
  const resizer = new Resizer({ height, width, channels }, size, scaling, images);
  return [...resizer.fill(0, Uint8Array.from(pixels), images, mirrored)];
}
/** Red, green and blue plane of one image. */
const planes = (values: number[]) =>
  [0, 1, 2].map((i) => values.slice((i * values.length) / 3, ((i + 1) * values.length) / 3));
const near = (got: number[], wanted: number[]) => {
  expect(got).toHaveLength(wanted.length);
  const off = got.map((value, i) => Math.abs(value - wanted[i]));
  expect(Math.max(...off)).toBeLessThan(1e-3);
};

describe("Resizer", () => {
  it("interpolates linearly between pixel centres and repeats the edges", () => {
    // 2 x 2 to 4 x 4: the target's centres lie at -1/4, 1/4, 3/4 and 5/4 of the source, so that the second row
    // and column weigh 0, 1/4, 3/4 and 1.
    const got = planes(resize([0, 100, 200, 40], [2, 2, 1], 4));
    const wanted = [
      [0, 25, 75, 100],
      [50, 58.75, 76.25, 85],
      [150, 126.25, 78.75, 55],
      [200, 160, 80, 40],
    ];
    near(got[0], wanted.flat());
    expect([got[1], got[2]]).toEqual([got[0], got[0]]); // grey fills all channels
  });

  it("shrinks by the same rule", () => {
    // 4 to 2: the target's centres lie at 1/2 and 5/2 of the source.
    near(
      planes(
        resize(
          [10, 20, 30, 60].flatMap((value) => Array(4).fill(value)),
          [4, 4, 1],
          2,
        ),
      )[0],
      [15, 15, 45, 45],
    );
  });

  it("turns HWC into planes, scaled by each channel's mean and std", () => {
    const scaling = { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] } as const;
    const got = planes(resize([255, 0, 51, 0, 255, 102], [1, 2, 3], 2, scaling));
    near(got[0], [1, -1, 1, -1]);
    near(got[1], [-1, 3, -1, 3]);
    near(got[2], [0.1, 0.2, 0.1, 0.2]);
  });

  it("keeps an image of the right size as it is", () => {
    const pixels = Array.from({ length: 25 }, (_, i) => (i * 37) % 256);
    expect(planes(resize(pixels, [5, 5, 1], 5))[0].map(Math.fround)).toEqual(
      pixels.map((value) => Math.fround(Math.fround(value))),
    );
  });

  const image = fc
    .record({
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
      channels: fc.constantFrom(1, 3),
      size: fc.integer({ min: 1, max: 20 }),
    })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        pixels: fc.array(fc.integer({ min: 0, max: 255 }), {
          minLength: shape.height * shape.width * shape.channels,
          maxLength: shape.height * shape.width * shape.channels,
        }),
      }),
    );

  it("keeps constants constant, to the last bit", () => {
    fc.assert(
      fc.property(image, fc.integer({ min: 0, max: 255 }), ({ shape, pixels }, value) => {
        const { height, width, channels, size } = shape;
        const scaling = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
        const got = resize(
          pixels.map(() => value),
          [height, width, channels],
          size,
          scaling,
        );
        for (const [channel, plane] of planes(got).entries()) {
          expect(new Set(plane).size).toBe(1);
          expect(plane[0]).toBeCloseTo((value / 255 - scaling.mean[channel]) / scaling.std[channel], 5);
        }
      }),
    );
  });

  it("never leaves the range of the pixels", () => {
    fc.assert(
      fc.property(image, ({ shape: { height, width, channels, size }, pixels }) => {
        const got = resize(pixels, [height, width, channels], size);
        expect(Math.min(...got)).toBeGreaterThanOrEqual(Math.min(...pixels) - 1e-3);
        expect(Math.max(...got)).toBeLessThanOrEqual(Math.max(...pixels) + 1e-3);
      }),
    );
  });

  it("mirrors: the mirror image of the resized is the resized mirror image", () => {
    fc.assert(
      fc.property(image, ({ shape: { height, width, channels, size }, pixels }) => {
        const rows = Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (_, x) =>
            pixels.slice((y * width + x) * channels, (y * width + x + 1) * channels),
          ).reverse(),
        );
        const straight = resize(rows.flat(2), [height, width, channels], size);
        near(resize(pixels, [height, width, channels], size, PLAIN, true), straight);
      }),
    );
  });

  it("treats each image of a batch as if it were alone", () => {
    fc.assert(
      fc.property(image, fc.integer({ min: 2, max: 4 }), ({ shape, pixels }, images) => {
        const { height, width, channels, size } = shape;
        const batch = Array.from({ length: images }, (_, i) => pixels.map((value) => (value + 31 * i) % 256));
        const got = resize(batch.flat(), [height, width, channels], size);
        expect(got).toEqual(batch.flatMap((one) => resize(one, [height, width, channels], size)));
      }),
    );
  });

  it("computes rows in float64 and rounds once, so that the same bytes come out everywhere", () => {
    fc.assert(
      fc.property(image, ({ shape: { height, width, channels, size }, pixels }) => {
        const [first, second] = [Math.floor, (at: number) => Math.floor(at) + 1];
        const place = (i: number, from: number) =>
          Math.min(Math.max(((i + 0.5) * from) / size - 0.5, 0), from - 1);
        const wanted = [0, 1, 2].flatMap((channel) =>
          Array.from({ length: size * size }, (_, i) => {
            const [y, x] = [place(Math.floor(i / size), height), place(i % size, width)];
            const pixel = (row: number, column: number) =>
              pixels[(row * width + Math.min(column, width - 1)) * channels + (channels === 3 ? channel : 0)];
            const along = (row: number) => {
              const [a, b] = [pixel(row, first(x)), pixel(row, second(x))];
              return Math.fround(a + (b - a) * Math.fround(x - first(x)));
            };
            const [above, below] = [along(first(y)), along(Math.min(second(y), height - 1))];
            return Math.fround(above + (below - above) * Math.fround(y - first(y)));
          }),
        );
        expect(resize(pixels, [height, width, channels], size)).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps its buffers apart, also where a row ends between two steps", () => {
    const shape = { height: 3, width: 3, channels: 1 };
    const resizer = new Resizer(shape, 5, PLAIN, 2, 3);
    for (const [buffer, value] of [10, 20, 30].entries())
      resizer.fill(buffer, new Uint8Array(18).fill(value), 2);
    resizer.fill(1, new Uint8Array(9).fill(99), 1);
    expect([...resizer.buffers[0]]).toEqual(Array(150).fill(10));
    expect([...resizer.buffers[1]].slice(0, 75)).toEqual(Array(75).fill(99));
    expect([...resizer.buffers[2]]).toEqual(Array(150).fill(30));
  });
});
