import { describe, expect, it } from "vitest";
import { kinOf, listed } from "../../../../stages/report/numbers/kin.ts";
import { recipeFor } from "../study.ts";

const group = (point: Record<string, string | number>, settings = {}) => ({
  point,
  recipe: recipeFor({ point, settings }),
});
const semihard = { loss: "facenet", selector: "semihard-negative" };

describe("kinOf", () => {
  it("names every param behind one axis: a longer training that is wider too", () => {
    const wide = { steps: 2000, network: { use: "mlp", hidden: [1024] } };
    expect(kinOf(group({ ...semihard, steps: 2000 }, wide), group(semihard))).toEqual({
      causes: ["network.hidden", "steps"],
      chosen: [],
      values: "steps 2000 against 300, network.hidden 1024 against 512",
    });
  });

  it("finds one param that differs wherever the study put it", () => {
    expect(
      kinOf(group({ head: "wide", ...semihard, views: 3 }, { steps: 9 }), group(semihard))?.causes,
    ).toEqual(["steps"]);
  });

  it("keeps what validation chose apart, but tells its values", () => {
    const chosen = { loss: { use: "facenet", margin: 0.5 } };
    expect(kinOf(group(semihard), group({ ...semihard, selector: "all" }, chosen))).toEqual({
      causes: ["selector"],
      chosen: ["loss.margin"],
      values: "loss.margin 0.2 against 0.5",
    });
  });

  it("holds nothing against each other that differs in several ways", () => {
    expect(kinOf(group(semihard), group({ loss: "hoffer-ailon", selector: "all" }))).toBeUndefined();
    expect(kinOf(group(semihard), group(semihard))).toBeUndefined();
  });
});

it("lists names as a sentence does", () => {
  expect([["a"], ["a", "b"], ["a", "b", "c"]].map(listed)).toEqual(["a", "a and b", "a, b and c"]);
});
