/** What a training's history says: how far it came, how fast, and whether it collapsed. */
import { type Group, groupRuns } from "../shared/groups.ts";
import { type History, usesTriplets } from "../shared/histories.ts";

/** Share of the study's best validation mAP that a training is timed to. */
export const NEAR_BEST = 0.95;
/** Below this share of its own largest, the variance of the embeddings has gone. */
const SPREAD_LOST = 0.01;
/** At the end above this share of their length, embeddings that once looked collapsed have come apart again. */
const COME_APART = 0.1;
/** Fewer active triplets than this leave next to nothing to learn from. */
const FEW_ACTIVE = 0.01;

/** One training, in numbers. */
export interface Training {
  id: string;
  best_validation_map: number;
  best_step: number;
  images_at_best: number;
  /** null where the loss takes neither triplets nor pairs. */
  triplets_at_best: number | null;
  /** Images seen, and triplets used, when validation mAP first reached 95 % of the study's best; null: never. */
  images_to_near_best: number | null;
  triplets_to_near_best: number | null;
  /** Whether there were triplets or pairs to count. */
  uses_triplets: boolean;
  last_step: number;
  last_loss: number;
  last_active: number;
  last_spread: number;
  /** All embeddings came together. */
  collapsed: boolean;
  /** Hardly a triplet was left to learn from. */
  starved: boolean;
  /** What went wrong, in words; empty when nothing did. */
  marks: string[];
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

/** The signs of collapse: the training's own word for it, and what the history shows at its end. */
export function signsOf({
  metadata,
  spread,
  active,
}: History): Pick<Training, "collapsed" | "starved" | "marks"> {
  const last = spread.length - 1;
  const widest = spread.reduce((most, value) => Math.max(most, value), 0);
  const said = typeof metadata.collapse === "string" ? metadata.collapse : "";
  const told = spread[last] < COME_APART ? said : "";
  const lost = spread[last] < SPREAD_LOST * widest;
  const starved = active[last] < FEW_ACTIVE;
  const collapsed = told !== "" || lost;
  return {
    collapsed,
    starved,
    marks: [
      ...(collapsed
        ? [`collapsed: ${told || `the variance of the embeddings fell to ${spread[last].toPrecision(2)}`}`]
        : []),
      ...(starved
        ? [`hardly anything left to learn from: ${(100 * active[last]).toFixed(2)} % of the triplets active`]
        : []),
    ],
  };
}

/** The best validation mAP of all trainings. */
export const bestOf = (histories: History[]): number =>
  histories.reduce((best, history) => Math.max(best, history.validationMap[bestRow(history)] ?? 0), 0);

/** The trainings, by group. */
export function trainingGroups(histories: History[]): Group<History & { summary: Training }>[] {
  const level = NEAR_BEST * bestOf(histories);
  return groupRuns(
    histories
      .filter(({ step }) => step.length > 0)
      .map((history) => {
        const best = bestRow(history);
        const last = history.step.length - 1;
        const counts = usesTriplets(history);
        const near = firstAt(history.validationMap, level);
        const summary: Training = {
          id: history.id,
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
