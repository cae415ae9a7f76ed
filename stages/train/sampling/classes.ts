/** The classes that a sampler draws from. */
import { UserError } from "../../../runner/stage.ts";

/** The images of each class, ascending by class. */
export function imagesByClass(labels: ArrayLike<number>): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let image = 0; image < labels.length; image++) {
    if (!found.has(labels[image])) found.set(labels[image], []);
    found.get(labels[image])!.push(image);
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

/**
 * {@link imagesByClass}, where positive and negative pairs can be drawn from it.
 * @throws UserError when there is one class, or a class with one image
 */
export function requirePairs(labels: ArrayLike<number>): Map<number, number[]> {
  const members = imagesByClass(labels);
  if (members.size < 2)
    throw new UserError(
      `train: the images to draw from have ${members.size} class. Learning a distance takes at least two.`,
    );
  for (const [label, images] of members)
    if (images.length < 2)
      throw new UserError(
        `train: class ${label} has one image to draw from, so it has no positive pair. Add images, or leave the class out.`,
      );
  return members;
}
