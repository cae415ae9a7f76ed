/** The summary of a training's history: its final numbers, its time, and whether it collapsed. */

import { type History, usesTriplets } from "../../shared/artifacts/history.ts";
import { type Signs, signsOf } from "../../shared/runs/collapse.ts";
import { byName, type Group, groupRuns } from "../../shared/runs/groups.ts";

/** Share of its protocol's best validation mAP that a training is timed to. */
export const NEAR_BEST = 0.95;
/** One training, in numbers. */
export interface Training extends Signs {
  id: string;
  protocol: string;
  best_validation_map: number;
  best_step: number;
  images_at_best: number;
  /** null where the loss takes neither triplets nor pairs. */
  triplets_at_best: number | null;
  /** Images seen, and triplets used, when validation mAP first reached 95 % of its protocol's best; null: never. */
  images_to_near_best: number | null;
  triplets_to_near_best: number | null;
  /** Whether there were triplets or pairs to count. */
  uses_triplets: boolean;
  last_step: number;
  last_loss: number;
  last_active: number;
  last_spread: number;
}

/** The first row at which a series reaches a level; undefined: never. */
export function firstAt(series: ArrayLike<number>, level: number): number | undefined {
  for (let at = 0; at < series.length; at++) if (series[at] >= level) return at;
  return undefined;
}

/** The row of the best validation mAP, the first of equal ones: its weights were kept. */
export function bestRow({ validationMap }: History): number {
  let best = 0;
  for (let at = 1; at < validationMap.length; at++) if (validationMap[at] > validationMap[best]) best = at;
  return best;
}

/** By protocol, the validation mAP that trainings are timed to: the images of another protocol set another task. */
export function levelsOf(histories: History[]): Map<string, number> {
  const protocols = byName(
    histories.filter(({ step }) => step.length > 0),
    ({ protocol }) => protocol,
  );
  return new Map(
    [...protocols].map(([protocol, own]) => [
      protocol,
      NEAR_BEST * own.reduce((best, one) => Math.max(best, one.validationMap[bestRow(one)]), 0),
    ]),
  );
}

/** The trainings, by group. */
export function trainingGroups(histories: History[]): Group<History & { summary: Training }>[] {
  const levels = levelsOf(histories);
  return groupRuns(
    histories
      .filter(({ step }) => step.length > 0)
      .map((history) => {
        const best = bestRow(history);
        const last = history.step.length - 1;
        const counts = usesTriplets(history);
        const near = firstAt(history.validationMap, levels.get(history.protocol)!);
        const summary: Training = {
          id: history.id,
          protocol: history.protocol,
          best_validation_map: history.validationMap[best],
          best_step: history.step[best],
          images_at_best: history.images[best],
          triplets_at_best: counts ? history.triplets[best] : null,
          images_to_near_best: near === undefined ? null : history.images[near],
          triplets_to_near_best: near === undefined || !counts ? null : history.triplets[near],
          uses_triplets: counts,
          last_step: history.step[last],
          last_loss: history.loss[last],
          last_active: history.active[last],
          last_spread: history.spread[last],
          ...signsOf(history),
        };
        return { ...history, summary };
      }),
  );
}
