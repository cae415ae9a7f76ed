/** The recipe of a training: what its outputs say that they were made from. */
import type { Part } from "../../runner/stage.ts";
import type { Choice } from "../shared/artifacts/choice.ts";
import { augmentationsOf } from "../shared/augmentation.ts";
import { type Recipe, recipeOf } from "../shared/runs/recipe.ts";
import type { Params } from "./params.ts";

/** Everything that determines the result of a training. @param metadata of the vectors or images */
export function recipeFor(
  { backend: _, validation_loss: __, ...params }: Params,
  parts: Record<string, Part>,
  choice: Choice | undefined,
  protocol: string,
  metadata: Record<string, unknown>,
): Recipe {
  const named = ["network", "loss", "selector", "sampler"].filter((name) => parts[name]);
  const recorded = ({ name, params }: Part) => ({ use: name, ...params });
  const augment = augmentationsOf(parts).map(recorded);
  return {
    ...recipeOf(metadata),
    training: {
      ...params,
      protocol,
      ...Object.fromEntries(named.map((name) => [name, recorded(parts[name])])),
      ...(augment.length > 0 && { augment }),
    },
    ...(choice && { chosen: [choice.param] }),
  };
}
