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
 * Checks that there are images to tell apart, and, where images have several labels, images to bring together, unless
 * the loss uses no labels. An image alone with its one label can still be found by validation images.
 * @param rows of the training images
 * @throws UserError when every two of them share a label, or no two do
 */
export function checkSimilar(
  { labels, sets, classes }: Examples,
  rows: Uint32Array,
  { unlabelled }: Pick<Loss, "unlabelled">,
): void {
  if (unlabelled) return;
  const own = sets && takeSets(sets, rows, classes.length);
  if (own && Math.max(...countLabels(own, [...rows.keys()], classes.length)) < 2)
    throw new UserError(
      "train: no two training images share a label, so there is nothing to bring together. Add images, or correct their labels.",
    );
  const apart = own
    ? someApart(own, own, setBytes(classes.length))
    : rows.some((row) => labels[row] !== labels[rows[0]]);
  if (!apart)
    throw new UserError(
      "train: every two training images share a label, so there is nothing to tell apart. Add images without that label, or correct their labels.",
    );
}
