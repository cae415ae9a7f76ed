/** The interface of the files of metrics/: parts of the stage `train`. */
import { type Part, type PartDefinition, UserError } from "../../runner/stage.ts";
import type { Loss } from "./loss.ts";

/** Sums over the steps between two evaluations. */
export interface Stretch {
  steps: number;
  /** Seen by the network. */
  images: number;
  /** Pairs or triplets that were selected, and those with a loss above 0. */
  selected: number;
  active: number;
  /** Images that the loss's own classifier labelled correctly; 0 without a classifier. */
  correct: number;
}

/** A number recorded during training, in the column `metric_NAME` of the history. */
export interface Metric extends PartDefinition {
  /** A feature that the loss must have. */
  needs?: "classifier" | "selection";
  /** @param stretch at least one step */
  value(stretch: Stretch): number;
}

/** A metric with its name. */
export interface NamedMetric {
  name: string;
  metric: Metric;
}

/**
 * The metrics among a stage's parts, which are named `metrics.NAME`.
 * @param classifies whether the loss has a classifier
 * @throws UserError when a metric needs what the loss does not have
 */
export function metricsOf(parts: Record<string, Part>, classifies: boolean): NamedMetric[] {
  const { name: loss, part } = parts.loss as Part<Loss>;
  const has = { classifier: classifies, selection: part.selects !== "nothing" };
  return Object.entries(parts)
    .filter(([param]) => param.startsWith("metrics."))
    .map(([, { name, part }]) => {
      const { needs } = part as Metric;
      if (needs && !has[needs])
        throw new UserError(
          `train: the metric "${name}" measures nothing here: the loss "${loss}" ${needs === "classifier" ? "has no classifier" : "learns from neither pairs nor triplets"}. Leave it out.`,
        );
      return { name, metric: part as Metric };
    });
}
