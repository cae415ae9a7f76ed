/** One vector out of the tokens of a transformer. */
import { UserError } from "../../../runner/stage.ts";
import type { Pooling } from "../backbone.ts";

/**
 * @param values what the network gives, of this shape; `[count, tokens, dim]` where there are tokens, the class token first
 * @returns `[count, dim]`: cls the class token, mean the mean of the tokens after it; both the two side by side,
 *   `[count, 2 dim]`; without tokens the values themselves
 * @throws UserError when there are tokens and no pooling, or the other way round
 */
export function pool(
  values: Float32Array,
  shape: readonly number[],
  pooling: Pooling | undefined,
  name: string,
): Float32Array {
  const text = `${name} gives float32[${shape.join(", ")}]`;
  if (shape.length !== 3 || shape[1] === 1) {
    if (!pooling || shape.length === 3) return values;
    throw new UserError(`${text}, no tokens that could be pooled. Leave out "pooling", or name "features".`);
  }
  if (!pooling)
    throw new UserError(
      `${text}, a vector for each token. Say "pooling" (cls, mean or both) of the backbone file, or name "features".`,
    );
  const [count, tokens, dim] = shape;
  const width = pooling === "both" ? 2 * dim : dim;
  const pooled = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const start = row * tokens * dim;
    if (pooling !== "mean") pooled.set(values.subarray(start, start + dim), row * width);
    if (pooling === "cls") continue;
    const to = (row + 1) * width - dim;
    for (let d = 0; d < dim; d++) {
      let sum = 0;
      for (let token = 1; token < tokens; token++) sum += values[start + token * dim + d];
      pooled[to + d] = sum / (tokens - 1);
    }
  }
  return pooled;
}
