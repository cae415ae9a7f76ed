/** Checks of a training on images that may have several labels, before its first step. */
import { type Part, UserError } from "../../runner/stage.ts";
import type { Examples } from "../shared/artifacts/examples.ts";
import { countLabels, setBytes, someApart, takeSets } from "../shared/artifacts/label-sets.ts";
import type { Loss } from "./loss.ts";
import type { SamplerDefinition } from "./sampler.ts";

/** Some of the losses that take several labels, for the message. */
export const LOSSES_OF_SEVERAL = ["dpsh", "dch", "dtsh", "csq", "softmax", "contrastive", "multi-similarity"];
/** The samplers that do. */
export const SAMPLERS_OF_SEVERAL = ["balanced", "shuffled"];

/** @throws UserError when the loss or the sampler takes one label an image */
export function checkSeveral({ loss, sampler }: Record<string, Part>): void {
  if (!(loss.part as Loss).several)
    throw new UserError(
      `train: images have several labels each, but the loss "${loss.name}" takes one label an image. Take a loss that goes by whether two images share a label, or by each label on its own, as ${LOSSES_OF_SEVERAL.join(", ")}.`,
    );
  if (!(sampler.part as SamplerDefinition).several)
    throw new UserError(
      `train: images have several labels each, but the sampler "${sampler.name}" takes one label an image. Take the sampler ${SAMPLERS_OF_SEVERAL.join(" or ")}.`,
    );
}

/**
 * Checks that there are images to tell apart, and images to bring together.
 * @param rows of the training images
 * @throws UserError when every two of them share a label, or no two do
 */
export function checkSimilar({ sets, classes }: Examples, rows: Uint32Array): void {
  const bytes = setBytes(classes.length);
  const own = takeSets(sets!, rows, classes.length);
  const counts = countLabels(own, [...rows.keys()], classes.length);
  if (Math.max(...counts) < 2)
    throw new UserError(
      "train: no two training images share a label, so there is nothing to bring together. Add images, or correct their labels.",
    );
  if (!someApart(own, own, bytes))
    throw new UserError(
      "train: every two training images share a label, so there is nothing to tell apart. Add images without that label, or correct their labels.",
    );
}
