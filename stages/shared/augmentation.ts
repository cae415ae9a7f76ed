/** The interface of the files of augmentations/: parts of the stages `train` and `extract`. */
import type { ParamSchemas, ParamsOf, Part, PartDefinition, WithSchemas } from "../../runner/stage.ts";
import type { Random } from "./compute/random.ts";
import { type View, wholeView } from "./pixels/view.ts";

/** Changes views of images at random. @typeParam P the params that it declares */
export interface Augmentation<P = Record<string, unknown>> extends PartDefinition {
  /**
   * @param random of this augmentation alone
   * @returns a function that changes one view: relative to what others did, so that their order plays no role
   * @throws UserError when the params do not fit together
   */
  start(params: P, random: Random): (view: View) => void;
}

/** Declares an augmentation; the params of `start` have the types that its JSON Schemas accept. */
export function defineAugmentation<const S extends ParamSchemas>(
  augmentation: WithSchemas<Augmentation<ParamsOf<S>>, S>,
): Augmentation<ParamsOf<S>> {
  return augmentation;
}

/** The augmentations among a stage's parts, which are named `augment.NAME`, in the order of their names. */
export const augmentationsOf = (parts: Record<string, Part>): Part<Augmentation>[] =>
  Object.keys(parts)
    .filter((param) => param.startsWith("augment."))
    .sort()
    .map((param) => parts[param] as Part<Augmentation>);

/**
 * Draws views of images, each changed by every augmentation of a stage.
 * @param image its size
 * @param stream starts a stream of random numbers
 * @returns a function that draws the next view
 */
export function drawViews(
  augmentations: Part<Augmentation>[],
  image: { height: number; width: number },
  stream: (name: string) => Random,
): () => View {
  const changes = augmentations.map(({ name, part, params }) =>
    part.start(params, stream(`augmentation ${name}`)),
  );
  return () => {
    const view = wholeView(image);
    for (const change of changes) change(view);
    return view;
  };
}
