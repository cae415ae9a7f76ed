import { describe, expect, it } from "vitest";
import { toMarkdown } from "../../../../stages/report/document/markdown.ts";
import { comparisonsCsv } from "../../../../stages/report/numbers/files.ts";
import type { Comparison, GroupSummary, Summary } from "../../../../stages/report/numbers/summary.ts";
import { comparisonBlocks, lostTo, sentence } from "../../../../stages/report/sections/comparisons.ts";
import { recipeFor } from "../study.ts";

const comparison: Comparison = {
  metric: "map",
  first: "A",
  second: "B",
  difference: 0.02,
  low: 0.01,
  high: 0.03,
  p: 0.001,
  p_holm: 0.01,
  excludes_zero: true,
};

/** Names that are the labels. */
const NAMES = new Map<string, string>();

describe("sentence", () => {
  it("says which is above, by how much, and how sure it is", () => {
    expect(sentence(comparison, NAMES)).toBe("A is above B in mAP by 0.0200 (95 %: +0.0100 to +0.0300).");
  });

  it("turns a negative difference round, its interval with it", () => {
    const negative = { ...comparison, difference: -0.02, low: -0.03, high: -0.005 };
    expect(sentence(negative, NAMES)).toBe("B is above A in mAP by 0.0200 (95 %: +0.0050 to +0.0300).");
  });

  it("claims nothing where the interval holds 0", () => {
    const none = { ...comparison, difference: -0.002, low: -0.006, high: 0.001, excludes_zero: false };
    expect(sentence(none, NAMES)).toBe(
      "No significant difference in mAP between B and A: 0.0020 (95 %: −0.0010 to +0.0060).",
    );
  });

  it("says when a difference would not outlive the correction for many pairs", () => {
    expect(sentence({ ...comparison, p_holm: 0.2 }, NAMES)).toContain("Corrected for all pairs");
  });
});

describe("lostTo", () => {
  it("counts only differences that are significant by themselves", () => {
    const lost = { ...comparison, p_holm: 0.07 };
    expect(lostTo([comparison, lost, { ...lost, excludes_zero: false }])).toBe(
      " Corrected for all pairs, 1 of them would not be.",
    );
    expect(lostTo([comparison])).toBe("");
  });
});

describe("comparisonBlocks", () => {
  const group = (point: Record<string, string | number>, settings = {}, ids = ["1", "2"]) =>
    ({ point, recipe: recipeFor({ point, settings }), ids }) as unknown as GroupSummary;
  const semihard = { loss: "facenet", selector: "semihard-negative" };
  const groups = {
    long: group({ ...semihard, steps: 2000 }, { steps: 2000, network: { use: "mlp", hidden: [1024] } }),
    short: group(semihard),
    all: group({ ...semihard, selector: "all" }, { loss: { use: "facenet", margin: 1 } }, ["1"]),
    "raw features": { ...group({}), recipe: recipeFor({ point: {} }) },
  };
  const labels = Object.keys(groups);
  const comparisons = labels.flatMap((first, at) =>
    labels
      .slice(at + 1)
      .flatMap((second) =>
        (["map", "knn_accuracy"] as const).map((metric) => ({ ...comparison, metric, first, second })),
      ),
  );
  const names = new Map(labels.map((label) => [label, label]));
  const own = { queries: 9, database: 9, groups, comparisons };
  const blocks = comparisonBlocks("official", own, names, 100);
  const csv = comparisonsCsv({ protocols: { official: own } } as unknown as Summary);
  const report = toMarkdown({ title: "", lead: "", blocks });

  it("never says that all else is equal where a width differs beside the steps", () => {
    expect(report).not.toMatch(/By steps,/);
    expect(report).toContain("\nBy network.hidden and steps, all else equal:\n");
    expect(report).toContain("; steps 2000 against 300, network.hidden 1024 against 512.");
    expect(csv).toMatch(/^official,map,long,short,.*,network\.hidden; steps$/m);
  });

  it("says which params validation chose, and what for each", () => {
    expect(report).toContain("\nBy selector, all else equal but the loss.margin that validation chose:\n");
    expect(report).toContain("; loss.margin 0.2 against 1.");
    expect(csv).toMatch(/^official,map,short,all,.*,selector; loss\.margin \(chosen\)$/m);
    expect(csv).toMatch(/^official,map,long,all,.*,several$/m);
  });

  it("says of which groups there is one run, whose seed no interval knows", () => {
    expect(report).toContain("Of all there is one run each: in an interval with one of them");
    expect(report).toContain("There are 6 pairs.");
  });
});
