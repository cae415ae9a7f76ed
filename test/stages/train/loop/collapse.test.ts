import { describe, expect, it } from "vitest";
import { collapseOf } from "../../../../stages/train/loop/collapse.ts";

describe("collapseOf", () => {
  it("sees embeddings that are nearly one", () => {
    expect(collapseOf({ spread: 0.005, active: 0.5, loss: 0.1 }, 0.2)).toContain(
      "all embeddings are nearly one",
    );
  });

  it("sees a hinge stuck at its margin where the embeddings hardly spread", () => {
    expect(collapseOf({ spread: 0.05, active: 1, loss: 0.2 }, 0.2)).toContain(
      "the loss is stuck at the margin (0.200 at 0.2)",
    );
    expect(collapseOf({ spread: 0.05, active: 1, loss: 0.15 }, 0.2)).toBe("");
    expect(collapseOf({ spread: 0.05, active: 0.9, loss: 0.2 }, 0.2)).toBe("");
  });

  it("says nothing of a healthy spread: a training on active triplets alone begins at the margin", () => {
    expect(collapseOf({ spread: 0.9, active: 1, loss: 1 }, 1)).toBe("");
    expect(collapseOf({ spread: 0.9, active: 0.5, loss: 3 }, undefined)).toBe("");
  });
});
