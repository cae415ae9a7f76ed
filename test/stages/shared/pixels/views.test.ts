/** Views of images in pixels: windows, mirror images, colours and hidden parts, as a plain computation makes them. */
import { describe, expect, it } from "vitest";
import { random } from "../../../../stages/shared/compute/random.ts";
import { Resizer } from "../../../../stages/shared/pixels/resize.ts";
import type { Shape, Target } from "../../../../stages/shared/pixels/shape.ts";
import { type View, wholeView } from "../../../../stages/shared/pixels/view.ts";

/** Bytes enter as they are. */
const PLAIN = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;
const STORED: Shape = { height: 6, width: 8, channels: 3 };
const SIZE = 6 * 8 * 3;
const stream = random(1, "views test");
const pixels = Uint8Array.from({ length: 3 * SIZE }, () => stream.int(256));
const target = (height: number, width: number, planes = false): Target => ({
  height,
  width,
  channels: 3,
  planes,
});
const see = (view: Partial<View>, to = target(6, 8), image = 1, scaling = PLAIN) =>
  Array.from(
    new Resizer(STORED, to, scaling as never, 1).fillViews(
      0,
      pixels,
      [image],
      [{ ...wholeView(STORED), ...view }],
    ),
  );
/** One channel of a pixel of the second image, or of the edge where there is none. */
const at = (row: number, column: number, channel: number) =>
  pixels[SIZE + (Math.min(5, Math.max(0, row)) * 8 + Math.min(7, Math.max(0, column))) * 3 + channel];
const image = (
  height: number,
  width: number,
  value: (row: number, column: number, channel: number) => number,
) =>
  Array.from({ length: height * width * 3 }, (_, i) =>
    value(Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3),
  );
const near = (got: number[], wanted: number[], digits = 3) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(got[i], `value ${i}`).toBeCloseTo(value, digits);
};

describe("a view", () => {
  it("of the whole image is the image", () => near(see({}), image(6, 8, at)));

  it("is moved by whole pixels, and repeats the edge", () =>
    near(
      see({ left: -2, top: 3 }),
      image(6, 8, (row, column, channel) => at(row + 3, column - 2, channel)),
    ));

  it("is mirrored after it was moved", () =>
    near(
      see({ left: 1, mirrored: true }),
      image(6, 8, (row, column, channel) => at(row, 7 - column + 1, channel)),
    ));

  it("enlarges its window by interpolation between pixel centres", () => {
    // A window of 2 x 2 pixels on 4 x 4: the centres are at -1/4, 1/4, 3/4 and 5/4 of its first pixel's.
    const offset = (i: number) => (i + 0.5) / 2 - 0.5;
    const along = (row: number, column: number, channel: number) => {
      const [x, y] = [3 + offset(column), 2 + offset(row)];
      const [a, b] = [Math.floor(x), Math.floor(y)];
      const line = (r: number) => at(r, a, channel) * (1 - (x - a)) + at(r, a + 1, channel) * (x - a);
      return line(b) * (1 - (y - b)) + line(b + 1) * (y - b);
    };
    near(see({ left: 3, top: 2, width: 2, height: 2 }, target(4, 4)), image(4, 4, along));
  });

  it("as planes has the same values in another order", () => {
    const view = {
      left: 1.5,
      top: -0.5,
      width: 5,
      height: 4,
      mirrored: true,
      brightness: 0.7,
      contrast: 1.3,
    };
    const beside = see(view, target(5, 7));
    const planes = see(view, target(5, 7, true));
    expect(planes).toEqual([0, 1, 2].flatMap((channel) => beside.filter((_, i) => i % 3 === channel)));
  });

  it("changes brightness, then contrast around the mean grey, then saturation, within the range of bytes", () => {
    const clamp = (value: number) => Math.min(255, Math.max(0, value));
    const grey = (one: (channel: number) => number) => 0.299 * one(0) + 0.587 * one(1) + 0.114 * one(2);
    const bright = (row: number, column: number, channel: number) => clamp(at(row, column, channel) * 1.2);
    let mean = 0;
    for (let row = 0; row < 6; row++)
      for (let column = 0; column < 8; column++) mean += grey((c) => bright(row, column, c)) / 48;
    const contrast = (row: number, column: number, channel: number) =>
      clamp(mean + (bright(row, column, channel) - mean) * 1.5);
    const wanted = (row: number, column: number, channel: number) => {
      const own = grey((c) => contrast(row, column, c));
      return clamp(own + (contrast(row, column, channel) - own) * 0.4);
    };
    near(see({ brightness: 1.2, contrast: 1.5, saturation: 0.4 }), image(6, 8, wanted));
  });

  it.each([false, true])("hides a part with the mean colour (planes: %s)", (planes) => {
    const scaling = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.2, 0.2] } as never;
    const hidden = [{ left: 0.25, top: 0.5, width: 0.5, height: 0.34 }];
    const [shown, covered] = [
      see({}, target(6, 8, planes), 1, scaling),
      see({ hidden }, target(6, 8, planes), 1, scaling),
    ];
    const inside = (row: number, column: number) => row >= 3 && row < 5 && column >= 2 && column < 6;
    const place = (i: number) => (planes ? i % 48 : Math.floor(i / 3));
    expect(covered).toEqual(
      shown.map((value, i) => (inside(Math.floor(place(i) / 8), place(i) % 8) ? 0 : value)),
    );
  });

  it("is made of each image by itself", () => {
    const views = [0, 1, 2].map((left) => ({ ...wholeView(STORED), left, brightness: 1 + left / 10 }));
    const resizer = new Resizer(STORED, target(5, 5), PLAIN, 3);
    const together = Array.from(resizer.fillViews(0, pixels, [2, 0, 1], views));
    expect(together).toEqual([2, 0, 1].flatMap((one, i) => see(views[i], target(5, 5), one)));
  });
});
