/** How the images of classes of different sizes are shared out. */

/** Images of a class that query, validate, and train. */
export interface Shares {
  query: number;
  validation: number;
  train: number;
}

/** A training needs pairs. */
const FEWEST_TO_TRAIN = 2;

/**
 * Shares out each class by itself, so that one small class takes nothing from the others.
 * @param sizes images of each class
 * @param queries and @param validation of each class, at most
 * @param share of a class that queries at most, and that validates at most: at least one image, where a pair is left
 */
export function sharesOf(
  sizes: number[],
  { queries, validation, share }: { queries: number; validation: number; share: number },
): Shares[] {
  return sizes.map((size) => {
    const most = Math.max(1, Math.floor(share * size));
    const query = Math.min(queries, most);
    const validates = Math.min(Math.ceil(validation), most);
    const train = size - query - validates;
    return train >= FEWEST_TO_TRAIN
      ? { query, validation: validates, train }
      : { query: 0, validation: 0, train: size };
  });
}
