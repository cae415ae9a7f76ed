/** The recipe of a training: what its outputs say that they were made from. */
import type { Part } from "../../runner/stage.ts";
import type { Choice } from "../shared/artifacts/choice.ts";
import { augmentationsOf } from "../shared/augmentation.ts";
import { type Recipe, recipeOf, recorded } from "../shared/runs/recipe.ts";
import type { TrainingData } from "./data.ts";
import type { Params } from "./params.ts";

/** Everything that determines the result of a training. */
export function recipeFor(
  { backend: _, validation_loss: __, ...params }: Params,
  parts: Record<string, Part>,
  choice: Choice | undefined,
  { protocol, views, examples }: TrainingData,
): Recipe {
  const named = ["backbone", "network", "loss", "selector", "sampler"].filter((name) => parts[name]);
  const augment = augmentationsOf(parts).map(recorded);
  return {
    ...recipeOf(examples.metadata),
    training: {
      ...params,
      protocol,
      ...Object.fromEntries(named.map((name) => [name, recorded(parts[name])])),
      ...(augment.length > 0 && { augment }),
      ...views,
    },
    ...(choice && { chosen: [choice.param] }),
  };
}
