/** Bicubic resizing against its equation, and against a scaling that it must not change. */
import { describe, expect, test } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import { Resizer } from "../../../../stages/shared/pixels/resize.ts";
import { wholeView } from "../../../../stages/shared/pixels/view.ts";

const SCALING = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4], resampling: "bicubic" } as const;
const [HEIGHT, WIDTH, SIDE] = [7, 5, 12];
const draw = random(1, "pixels");
const pixels = Uint8Array.from({ length: 2 * HEIGHT * WIDTH * 3 }, () => draw.int(256));

const keys = (x: number) =>
  x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;

/** One value of a resized image: every pixel near it by its weight, edges repeated. */
function plain(image: number, channel: number, row: number, column: number): number {
  const [y, x] = [((row + 0.5) * HEIGHT) / SIDE - 0.5, ((column + 0.5) * WIDTH) / SIDE - 0.5];
  let sum = 0;
  for (let i = Math.floor(y) - 1; i <= Math.floor(y) + 2; i++)
    for (let j = Math.floor(x) - 1; j <= Math.floor(x) + 2; j++) {
      const [r, c] = [Math.min(HEIGHT - 1, Math.max(0, i)), Math.min(WIDTH - 1, Math.max(0, j))];
      sum +=
        keys(Math.abs(y - i)) *
        keys(Math.abs(x - j)) *
        pixels[((image * HEIGHT + r) * WIDTH + c) * 3 + channel];
    }
  return (Math.min(255, Math.max(0, sum)) / 255 - SCALING.mean[channel]) / SCALING.std[channel];
}

describe("bicubic resizing", () => {
  const shape = { height: HEIGHT, width: WIDTH, channels: 3 };
  test.each([true, false])("follows its equation, mirrored too; planes: %s", (planes) => {
    const target = { height: SIDE, width: SIDE, channels: 3, planes };
    const resizer = new Resizer(shape, target, SCALING, 2, 2);
    const [straight, mirrored] = [resizer.fill(0, pixels, 2), resizer.fill(1, pixels, 2, true)];
    for (let image = 0; image < 2; image++)
      for (let channel = 0; channel < 3; channel++)
        for (let row = 0; row < SIDE; row++)
          for (let column = 0; column < SIDE; column++) {
            const at = (c: number) =>
              planes
                ? ((image * 3 + channel) * SIDE + row) * SIDE + c
                : ((image * SIDE + row) * SIDE + c) * 3 + channel;
            const wanted = plain(image, channel, row, column);
            expect(straight[at(column)]).toBeCloseTo(wanted, 4);
            expect(mirrored[at(SIDE - 1 - column)]).toBeCloseTo(wanted, 4);
          }
  });

  test("of a view is that of the image where the view is all of it", () => {
    const resizer = new Resizer(shape, SIDE, SCALING, 2, 2);
    const view = wholeView(shape);
    const seen = resizer.fillViews(1, pixels, [1, 0], [view, view]);
    const all = resizer.fill(0, pixels, 2);
    const half = all.length / 2;
    expect([...seen.subarray(0, half)]).toEqual([...all.subarray(half)]);
  });
});
