/** Checks of a training on images that may have several labels, before its first step. */
import { type Part, UserError } from "../../runner/stage.ts";
import type { Examples } from "../shared/artifacts/examples.ts";
import { hasLabel, setBytes, sharedLabels, takeSets } from "../shared/artifacts/label-sets.ts";
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
  const counts = classes.map((_, label) => {
    let count = 0;
    for (let row = 0; row < rows.length; row++) if (hasLabel(own, row, label, bytes)) count++;
    return count;
  });
  if (Math.max(...counts) < 2)
    throw new UserError(
      "train: no two training images share a label, so there is nothing to bring together. Add images, or correct their labels.",
    );
  if (!someApart(own, rows.length, bytes))
    throw new UserError(
      "train: every two training images share a label, so there is nothing to tell apart. Add images without that label, or correct their labels.",
    );
}

/** Whether two of some sets have no label in common; equal sets are looked at once. */
function someApart(sets: Uint8Array, count: number, bytes: number): boolean {
  const distinct = new Map<string, number>();
  for (let row = 0; row < count; row++)
    distinct.set(String(sets.subarray(row * bytes, (row + 1) * bytes)), row);
  const rows = [...distinct.values()];
  return rows.some((i, at) => rows.slice(at + 1).some((j) => sharedLabels(sets, i, sets, j, bytes) === 0));
}
