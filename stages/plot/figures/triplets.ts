/** Validation mAP against the triplets or pairs used: what a selector makes of each. */
import { type History, usesTriplets } from "../../shared/artifacts/history.ts";
import type { Appearances } from "../../shared/runs/looks.ts";
import type { Figure } from "../figure.ts";
import { drawn } from "../lines.ts";
import { type Priced, qualityFigure } from "../quality.ts";

/** One figure of the trainings that use triplets or pairs. None where none does. */
export function triplets(histories: History[], groups: Appearances): Figure[] {
  const priced = histories.filter(usesTriplets).map(
    (history): Priced => ({
      ...drawn(history),
      cost: history.triplets.map((count) => Math.max(1, count)), // a logarithmic axis has no 0
    }),
  );
  if (priced.length === 0) return [];
  const words = {
    name: "triplets",
    title: "Validation mAP against triplets used",
    caption:
      "mAP of the validation images against the triplets or pairs used so far, on a logarithmic axis: selectors differ in them by orders of magnitude. Means over seeds, bands are 95 % intervals.",
    alt: `Curves of ${priced.length} trainings against triplets used; the table of trainings has the numbers.`,
  };
  return [
    qualityFigure(priced, groups, words, {
      title: "triplets or pairs used (logarithmic)",
      scale: { type: "log" },
      axis: { format: "~s", tickCount: 4 },
    }),
  ];
}
