/** The metrics that the params of an evaluation request. */
import { UserError } from "../../../runner/stage.ts";
import { AT } from "./found.ts";
import type { MoreMetrics } from "./more.ts";

/** Params of every evaluation. */
export interface MetricParams {
  ks: number[];
  at: number[];
  map_at: number[];
  graded_at: number[];
  metrics: string[];
}

/** The k of graded relevance that images with several labels have always. */
const GRADED_AT = [100];

const rising = (ks: number[]): number[] => [...new Set(ks)].sort((a, b) => a - b);

/**
 * The metrics of one evaluation.
 * @param several whether images may have several labels
 * @param items how many images are searched
 * @throws UserError when a k is beyond the images searched
 */
export function askedFor(
  params: MetricParams,
  several: boolean,
  items: number,
  stage: string,
): { at: number[]; more: MoreMetrics } {
  for (const name of ["at", "map_at", "graded_at"] as const)
    for (const k of params[name])
      if (k > items)
        throw new UserError(
          `${stage}: ${name} asks for the first ${k} images, but only ${items} are searched. Take ${items} or fewer.`,
        );
  return {
    at: rising([...AT, ...params.at]),
    more: {
      mapAt: rising(params.map_at),
      reciprocal: params.metrics.includes("mrr"),
      gradedAt: several ? rising([...GRADED_AT, ...params.graded_at]) : [],
    },
  };
}
