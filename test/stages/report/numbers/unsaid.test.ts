import { expect, it } from "vitest";
import { unsaid } from "../../../../stages/report/numbers/unsaid.ts";
import { recipeFor } from "../study.ts";

const group = (point: Record<string, string | number>, settings = {}) => ({
  point,
  recipe: recipeFor({ point, settings }),
  trained: point.loss !== undefined,
});
const wide = { network: { use: "mlp", hidden: [1024] } };

it("lists the params of a group that its name does not have", () => {
  const groups = {
    "raw features": group({}),
    "facenet · all": group({ loss: "facenet", selector: "all" }, { loss: { use: "facenet", margin: 1 } }),
    supcon: group({ loss: "supcon" }),
    "facenet · all · steps 2000": group(
      { loss: "facenet", selector: "all", steps: 2000 },
      { ...wide, steps: 2000, learning_rate: 0.1 },
    ),
  };
  expect(unsaid(groups, new Map([["facenet · all · steps 2000", "FaceNet, 2,000 steps"]]))).toEqual([
    "FaceNet, 2,000 steps: learning_rate 0.1 where most have 0.003.", // its name has the width
  ]);
});

it("calls nothing common that half of the groups have", () => {
  expect(unsaid({ a: group({ loss: "a" }), b: group({ loss: "b" }, wide) })).toEqual([]);
});
