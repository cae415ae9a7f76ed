import { describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { FeatureCheck } from "../../../stages/extract/feature-check.ts";

const IDS = Uint32Array.from({ length: 20 }, (_, i) => 10 * i);
/** One row of features an image; the pixels are given, or differ from image to image. */
let seen = 0;
const batch = (rows: number[][], pixels = rows.map(() => seen++)) => ({
  count: rows.length,
  pixels: Uint8Array.from(pixels),
  features: Float32Array.from(rows.flat()),
});
const check = (device: "cpu" | "webgpu", ...batches: ReturnType<typeof batch>[]) => {
  const checked = new FeatureCheck("tiny", device, IDS);
  for (const one of batches) checked.add(one);
};
const A = [1, 2];
const B = [2, 1];
const C = [3, 3];

describe("features are refused that", () => {
  it.each([
    [
      "are not finite",
      [[A, [1, Number.NaN]]],
      /image 10 has the feature NaN, which is not finite or too large/,
    ],
    ["are too large for float16", [[A, B], [[1, -65_505]]], /image 20 has the feature -65505/],
    [
      "are all 0 of two images",
      [
        [A, [0, 0]],
        [B, C],
        [[0, -0], A],
      ],
      /images 10 and 40 differ, but all 2 features of both are 0/,
    ],
    [
      "are the same in a batch",
      [
        [A, B],
        [C, C, C],
      ],
      /images 20 and 30 differ, but/,
    ],
    ["are the same from one to the next", [[A], [B], [B]], /images 10 and 20 differ, but/],
    [
      "are those of the batch before",
      [
        [A, B, C],
        [A, B, C],
      ],
      /images 0 and 30 differ, but/,
    ],
    [
      "are those of the batch before, the last one shorter",
      [
        [A, B, C],
        [A, B],
      ],
      /images 0 and 30 differ, but/,
    ],
  ])("%s", (_, rows: number[][][], said) => {
    const run = () => check("cpu", ...rows.map((one) => batch(one)));
    expect(run).toThrow(UserError);
    expect(run).toThrow(said);
  });
});

it("of a GPU, its driver is named, and what to do", () => {
  expect(() =>
    check(
      "webgpu",
      batch([
        [0, 0],
        [0, 0],
      ]),
    ),
  ).toThrow(
    "extract: images 0 and 10 differ, but all 2 features of both are 0 (on webgpu). Its driver may compute wrong numbers: take device: cpu. If they stay, is tiny the right network for this file?",
  );
});

it("what a network may give passes: some images alike, a black one, the same for the same image", () => {
  check("cpu", batch([A, A, B]), batch([C, B]), batch([A, [0, 1]]));
  check("cpu", batch([A, [0, 0]], [1, 0]), batch([[0, 0], B], [0, 1]));
  check("cpu", batch([A, A], [5, 5]), batch([A, A], [5, 5]), batch([A], [5]));
});
