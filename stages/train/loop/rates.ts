/** Learning rates: one for all weights, or one for the head and one for the backbone that trains below it. */
import type * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../../runner/stage.ts";
import { resolveSchedules } from "../schedules.ts";

/** The groups of weights, those of the loss's own among the head's. */
export const GROUPS = ["head", "backbone"] as const;

/** The learning rate of each group. */
export type Rates = Record<(typeof GROUPS)[number], number>;

const isGrouped = (rate: unknown): rate is Record<keyof Rates, unknown> =>
  rate !== null && typeof rate === "object" && "head" in rate;

/** @throws UserError where a rate is given to a backbone that does not train */
export function checkRates(learningRate: unknown, trains: boolean): void {
  if (isGrouped(learningRate) && !trains)
    throw new UserError(
      'train: learning_rate names the rates of head and backbone, but no backbone trains. Give one rate, or name the part "backbone".',
    );
}

/** The rates of a step. @param learningRate a number or schedule, or one for each group; @param share of all steps that are done */
export function ratesAt(learningRate: unknown, share: number): Rates {
  const given = isGrouped(learningRate) ? learningRate : { head: learningRate, backbone: learningRate };
  return resolveSchedules(given, share) as Rates;
}

/** The weights by group, with their places among all; groups without any are left out. */
export const membersOf = (variables: tf.Variable[], backbone: tf.Variable[]) => {
  const among = new Set(backbone);
  return GROUPS.map((group) => ({
    group,
    members: variables
      .map((variable, at) => ({ variable, at }))
      .filter(({ variable }) => among.has(variable) === (group === "backbone")),
  })).filter(({ members }) => members.length > 0);
};
