/** The signs that a training went wrong. */
import type { History } from "../artifacts/history.ts";

/** Below this share of its own largest, the variance of the embeddings has gone. */
const SPREAD_LOST = 0.01;
/** At the end above this share of their length, embeddings that once looked collapsed have come apart again. */
const COME_APART = 0.1;
/** Fewer active triplets than this leave next to nothing to learn from. */
const FEW_ACTIVE = 0.01;

export interface Signs {
  /** All embeddings came together. */
  collapsed: boolean;
  /** Hardly a triplet or pair was left to learn from. */
  starved: boolean;
  /** The kind of collapse, in words; empty for none. */
  marks: string[];
}

/** The signs of collapse: the training's own word for it, and what the history shows at its end. */
export function signsOf({ metadata, spread, active }: History): Signs {
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
        ? [
            `hardly anything left to learn from: ${(100 * active[last]).toFixed(2)} % of the triplets or pairs active`,
          ]
        : []),
    ],
  };
}

/** How many of some runs rest on a training that collapsed: "2 of 3 collapsed", "" for none. */
export function collapsedAmong(histories: (History | undefined)[]): string {
  const count = histories.filter((history) => history && signsOf(history).collapsed).length;
  return count ? `${count} of ${histories.length} collapsed` : "";
}
