/** Whether loss, sampler and selector fit together: who chooses the pairs or triplets. */
import { type Part, UserError } from "../../runner/stage.ts";
import type { Loss } from "./loss.ts";
import type { SamplerDefinition } from "./sampler.ts";
import type { PairSelector, TripletSelector } from "./selector.ts";

/** The selector, where the loss needs one. @throws UserError when the three do not fit together */
export function selectorFor({ loss, selector, sampler }: Record<string, Part>): Part | undefined {
  const { selects } = loss.part as Loss;
  const { gives } = sampler.part as SamplerDefinition;
  const needed = selects !== "nothing" && gives !== selects;
  if (gives && gives !== selects)
    throw new UserError(
      `train: the sampler "${sampler.name}" gives ${gives}, but the loss "${loss.name}" takes ${selects === "nothing" ? "neither pairs nor triplets" : selects}. Take the sampler "balanced".`,
    );
  if (needed && !selector)
    throw new UserError(
      `train: the loss "${loss.name}" learns from ${selects}: name a selector of ${selects}.`,
    );
  if (!needed && selector)
    throw new UserError(
      `train: the selector "${selector.name}" has nothing to choose: ${gives ? `the sampler "${sampler.name}" gives the ${gives}` : `the loss "${loss.name}" takes whole batches`}. Leave it out.`,
    );
  const chosen = (selector?.part as TripletSelector | PairSelector | undefined)?.selects;
  if (needed && chosen !== selects)
    throw new UserError(
      `train: the loss "${loss.name}" learns from ${selects}, but the selector "${selector!.name}" chooses ${chosen}. Take a selector of ${selects}.`,
    );
  return selector;
}
