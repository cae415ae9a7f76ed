/** Augmentations: what each changes of a view, within which limits, and what their order and number change. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Part, UserError } from "../../../runner/stage.ts";
import { type Augmentation, augmentationsOf, drawViews } from "../../../stages/shared/augmentation.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { type View, wholeView } from "../../../stages/shared/pixels/view.ts";

const IMAGE = { height: 32, width: 48 };
const NAMES = readdirSync("stages/shared/augmentations").map((file) => file.replace(".ts", ""));

/** A part with its defaults, as the runner gives it. */
async function part(name: string, params: Record<string, unknown> = {}): Promise<Part<Augmentation>> {
  const { default: found } = (await import(`../../../stages/shared/augmentations/${name}.ts`)) as {
    default: Augmentation;
  };
  const defaults = Object.entries(found.params ?? {}).map(([param, schema]) => [param, schema.default]);
  return { name, part: found, params: { ...Object.fromEntries(defaults), ...params } };
}
async function draw(parts: Promise<Part<Augmentation>>[], count = 300, seed = 1): Promise<View[]> {
  const next = drawViews(await Promise.all(parts), IMAGE, (name) => random(seed, name));
  return Array.from({ length: count }, next);
}
const limits = (values: number[]) => [Math.min(...values), Math.max(...values)];

describe("an augmentation", () => {
  it.each(NAMES)("%s draws the same by the same seed, and something else by another", async (name) => {
    expect(await draw([part(name)])).toEqual(await draw([part(name)]));
    expect(await draw([part(name)], 300, 2)).not.toEqual(await draw([part(name)]));
    const whole = JSON.stringify(wholeView(IMAGE));
    expect((await draw([part(name)])).some((view) => JSON.stringify(view) !== whole)).toBe(true);
  });

  it("draws the same beside any others in the list", async () => {
    const alone = (await draw([part("shift")])).map(({ left }) => left);
    const both = (await draw([part("colour"), part("flip"), part("shift")])).map(({ left }) => left);
    expect(both).toEqual(alone);
    const sorted = await draw([part("crop"), part("shift"), part("flip")]);
    const turned = await draw([part("flip"), part("crop"), part("shift")]);
    for (const [i, view] of sorted.entries()) expect(view.left).toBeCloseTo(turned[i].left, 9);
  });

  it("is found among a stage's parts", async () => {
    const parts = { loss: { name: "dtsh", params: {}, part: {} }, "augment.flip": await part("flip") };
    expect(augmentationsOf(parts).map(({ name }) => name)).toEqual(["flip"]);
  });
});

describe("flip", () => {
  it("mirrors about the share of the views that it is told", async () => {
    const share = async (chance: number) =>
      (await draw([part("flip", { chance })])).filter(({ mirrored }) => mirrored).length / 300;
    expect(await share(0)).toBe(0);
    expect(await share(1)).toBe(1);
    expect(Math.abs((await share(0.5)) - 0.5)).toBeLessThan(0.1);
  });
});

describe("shift", () => {
  it("moves by whole pixels, all of them, and leaves the size", async () => {
    const views = await draw([part("shift", { pixels: 2 })]);
    for (const side of ["left", "top"] as const)
      expect([...new Set(views.map((view) => view[side]))].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    expect(limits(views.map(({ width }) => width))).toEqual([48, 48]);
  });
});

describe("crop", () => {
  it("stays within the image, its area and its ratio", async () => {
    const views = await draw([part("crop", { scale: [0.25, 0.5], ratio: [0.8, 1.25] })]);
    for (const { left, top, width, height } of views) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(48);
      expect(top + height).toBeLessThanOrEqual(32);
    }
    const [least, most] = limits(views.map(({ width, height }) => (width * height) / (48 * 32)));
    expect([least >= 0.25, most <= 0.5, most - least > 0.2]).toEqual([true, true, true]);
    const ratios = limits(views.map(({ width, height }) => width / 48 / (height / 32)));
    expect([ratios[0] >= 0.7999, ratios[1] <= 1.2501]).toEqual([true, true]);
  });

  it("takes the whole image where it is told so, and refuses a range from the most to the least", async () => {
    const [view] = await draw([part("crop", { scale: [1, 1], ratio: [1, 1] })]);
    expect(view).toEqual(wholeView(IMAGE));
    await expect(draw([part("crop", { scale: [1, 0.5] })])).rejects.toThrow(
      new UserError("augment: scale of crop goes from the least to the most, not [1, 0.5]."),
    );
  });
});

describe("colour", () => {
  it("keeps each factor within its distance from 1", async () => {
    const views = await draw([part("colour", { brightness: 0.2, contrast: 0.5, saturation: 0 })]);
    const [dark, bright] = limits(views.map(({ brightness }) => brightness));
    expect([dark > 0.8, dark < 0.82, bright > 1.18, bright < 1.2]).toEqual(Array(4).fill(true));
    expect(limits(views.map(({ saturation }) => saturation))).toEqual([1, 1]);
    expect(new Set(views.map(({ contrast }) => contrast)).size).toBeGreaterThan(200);
  });
});

describe("erase", () => {
  it("hides one rectangle within the window, of an area within the range", async () => {
    const views = await draw([part("erase", { chance: 1, scale: [0.1, 0.2] })]);
    for (const { hidden } of views) {
      expect(hidden).toHaveLength(1);
      const [{ left, top, width, height }] = hidden;
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(1 + 1e-12);
      expect(width * height).toBeLessThanOrEqual(0.2);
      expect(width * height).toBeGreaterThanOrEqual(0.0999);
    }
    const some = await draw([part("erase", { chance: 0.5 })]);
    expect(new Set(some.map(({ hidden }) => hidden.length))).toEqual(new Set([0, 1]));
    await expect(draw([part("erase", { scale: [0.3, 0.2] })])).rejects.toThrow(/scale of erase goes/);
  });
});
