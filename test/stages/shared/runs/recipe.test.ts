import { describe, expect, it } from "vitest";
import {
  differing,
  kindOf,
  type Recipe,
  recipeOf,
  sameMade,
  sameTraining,
  shown,
} from "../../../../stages/shared/runs/recipe.ts";

const training = {
  steps: 100,
  dim: 64,
  seed: 1,
  protocol: "official",
  network: { use: "mlp", hidden: [256], dropout: 0.1 },
  loss: { use: "facenet", margin: 0.2 },
  selector: { use: "all" },
};
const made = (over: object = {}, rest: Partial<Recipe> = {}): Recipe => ({
  features: { backbone: "mobilenetv2", size: 160 },
  training: { ...training, ...over },
  ...rest,
});
const names = (a: Recipe, b: Recipe) => differing(a, b).map(({ name }) => name);

describe("differing", () => {
  it("names every param that differs, those of a part by their own names", () => {
    const long = made({ steps: 150, network: { use: "mlp", hidden: [512], dropout: 0 } });
    expect(differing(made(), long)).toEqual([
      { name: "steps", first: 100, second: 150, chosen: false },
      { name: "network.hidden", first: [256], second: [512], chosen: false },
      { name: "network.dropout", first: 0.1, second: 0, chosen: false },
    ]);
  });

  it("is not misled by seeds, protocols and the order of keys", () => {
    const turned = { loss: { margin: 0.2, use: "facenet" }, seed: 2, protocol: "P1" };
    expect(names(made(), made(turned))).toEqual([]);
  });

  it("names another part alone, not the params that only one of them has", () => {
    expect(names(made(), made({ loss: { use: "hoffer-ailon" }, selector: undefined }))).toEqual([
      "loss",
      "selector",
    ]);
  });

  it("tells what validation chose for both from what the study set", () => {
    const chosen = { chosen: ["loss.margin"] };
    const other = { loss: { use: "facenet", margin: 1 } };
    expect(differing(made({}, chosen), made(other, chosen))[0].chosen).toBe(true);
    expect(differing(made({}, chosen), made(other))[0].chosen).toBe(false);
  });

  it("sees other vectors, and how codes and scores were made", () => {
    const views = { features: { backbone: "mobilenetv2", size: 128 } };
    const code = { code: { binariser: { use: "sign" }, bits: 64, seed: 1 } };
    const cosine = { evaluation: { distance: "cosine" } };
    expect(names(made(), made({}, views))).toEqual(["features"]);
    expect(names(made({}, code), made({}, { ...code, ...cosine }))).toEqual(["distance"]);
    // The length of a code has one name, though the network has a param for it as well.
    const longer = made({ dim: 128 }, { code: { ...code.code, bits: 128 } });
    expect(names(made({}, code), longer)).toEqual(["bits"]);
  });
});

it("runs are of one kind where seeds, protocols and choices alone tell them apart", () => {
  const chosen = { chosen: ["loss.margin"] };
  const kind = kindOf(made({}, chosen));
  expect(kindOf(made({ seed: 2, protocol: "P1", loss: { use: "facenet", margin: 1 } }, chosen))).toBe(kind);
  expect(kindOf(made({ steps: 150 }, chosen))).not.toBe(kind);
});

it("a result is of one training alone: params, vectors, seed and protocol", () => {
  const code = { code: { bits: 64 } };
  expect(sameTraining(made(), made({}, code))).toBe(true);
  for (const other of [
    made({ seed: 2 }),
    made({ protocol: "P1" }),
    made({ steps: 1 }),
    made({}, { features: {} }),
  ])
    expect(sameTraining(made(), other)).toBe(false);
  expect(sameTraining({ features: {} }, { features: {} })).toBe(false);
  expect(sameMade(made(), made({}, code))).toBe(false);
  expect(sameMade({ features: {} }, { features: {}, evaluation: { distance: "cosine" } })).toBe(true);
});

it("begins with what features say of themselves", () => {
  expect(recipeOf({ classes: ["cat"], backbone: "resnet18" })).toEqual({
    features: { backbone: "resnet18" },
  });
  expect(recipeOf({ classes: ["cat"], loss: "facenet", made: made() })).toEqual(made());
});

it("shows a value in a few letters", () => {
  expect([[256, 128], "linear", undefined, { from: 1, to: 2 }].map(shown)).toEqual([
    "256, 128",
    "linear",
    "none",
    '{"from":1,"to":2}',
  ]);
});
