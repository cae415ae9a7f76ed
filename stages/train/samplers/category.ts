/**
 * C categories, P classes of each, K images of each class.
 *
 * The categories of a batch are drawn without repetition, each with a chance in proportion to its classes, so that a class
 * of a small category comes up about as often as one of a large category. Within a category the classes are dealt from a
 * shuffled deck, and likewise the images of a class.
 *
 * @equation
 * batch = C categories × P classes × K images, P(category) ∝ its classes
 * @when Classes are grouped (`sop`, `cifar100`, a `csv` with categories), and the hard negatives are classes of the same
 * group: the fewer categories a batch has, the harder its negatives.
 * @source OpenMetricLearning's CategoryBalanceSampler (https://github.com/OML-Team/open-metric-learning)
 */
import type { Random } from "../../shared/compute/random.ts";
import { defineSampler } from "../sampler.ts";
import { type Category, categoryParams, dealCategories } from "../sampling/categories.ts";

/** Draws different categories, each with a chance in proportion to its classes. */
function drawCategories(all: Category[], count: number, random: Random): Category[] {
  const left = [...all];
  return Array.from({ length: count }, () => {
    let place = random.int(left.reduce((sum, { classes }) => sum + classes, 0));
    const at = left.findIndex(({ classes }) => {
      place -= classes;
      return place < 0;
    });
    return left.splice(at, 1)[0];
  });
}

export default defineSampler({
  categories: true,
  params: categoryParams,
  start(labels, params, random, facts) {
    const all = dealCategories(labels, facts!.categories!, params.categories, random);
    return () => ({
      images: Int32Array.from(
        drawCategories(all, params.categories, random).flatMap((category) =>
          category.deal(params.classes, params.images),
        ),
      ),
    });
  },
});
