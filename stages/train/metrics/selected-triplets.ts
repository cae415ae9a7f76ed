/** How many triplets, or pairs, of a batch were selected, on average, with a loss or without. */
import type { Metric } from "../metric.ts";

export default {
  needs: "selection",
  value: ({ selected, steps }) => selected / steps,
} satisfies Metric;
