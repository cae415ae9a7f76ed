/**
 * The share of the batches' images that the loss's own classifier put into the right class, as it was while it trained
 * (siamese-triplet's AccumulatedAccuracyMetric).
 */
import type { Metric } from "../metric.ts";

export default {
  needs: "classifier",
  value: ({ correct, images }) => correct / images,
} satisfies Metric;
