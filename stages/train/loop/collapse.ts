/** Detection of a collapsed training: all images have nearly the same embedding. */

/** Spread below which the embeddings hardly differ. */
const LEAST_SPREAD = 0.01;
/** Spread above which a loss near the margin is only the start of a training on nothing but active triplets. */
const HEALTHY_SPREAD = 0.1;

/**
 * Detects a collapse from one evaluation (see `HistoryRow`).
 * @param margin the loss when all embeddings are equal ({@link LossRun.collapsed}): the margin of a hinge
 * @returns in words; "" without a collapse
 */
export function collapseOf(
  { spread, active, loss }: { spread: number; active: number; loss: number },
  margin: number | undefined,
): string {
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
