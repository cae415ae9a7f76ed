/** How many triplets, or pairs, of a batch have a loss, on average (siamese-triplet's AverageNonzeroTripletsMetric). */
import type { Metric } from "../metric.ts";

export default {
  needs: "selection",
  value: ({ active, steps }) => active / steps,
} satisfies Metric;
