/** Whether a training has collapsed: all images in one place, so that nothing can be told apart. */

/** Below this share of its length, an embedding says next to nothing about its image. */
const LEAST_SPREAD = 0.01;
/** Above it, a loss near the margin is only the start of a training on nothing but active triplets. */
const HEALTHY_SPREAD = 0.1;

/**
 * @param spread of the validation embeddings, see {@link Validation}
 * @param active share of the selected pairs or triplets with a loss
 * @param loss mean since the last evaluation
 * @param margin of the loss, where it has one: a hinge at d(a,p) = d(a,n) has just this loss
 * @returns in words; "" when there is none
 */
export function collapseOf(spread: number, active: number, loss: number, margin: number | undefined): string {
  if (spread < LEAST_SPREAD)
    return `all embeddings are nearly one: their variance is ${spread.toPrecision(2)} of their squared length`;
  if (
    margin !== undefined &&
    spread < HEALTHY_SPREAD &&
    active > 0.99 &&
    Math.abs(loss - margin) < 0.02 * margin
  )
    return `the loss is stuck at the margin (${loss.toPrecision(3)} at ${margin}) with ${Math.round(100 * active)} % of the triplets active`;
  return "";
}
