/** Params of parts. */
import type { PartDefinition } from "../runner/stage.ts";

/**
 * The defaults of a part's params, by name: what pipeline.yaml need not say. Params without a default are not in it.
 * @param given values in the place of defaults
 */
export function defaultsOf(
  part: PartDefinition,
  given: Record<string, unknown> = {},
): Record<string, unknown> {
  const defaults = Object.entries(part.params ?? {}).flatMap(([name, schema]) =>
    "default" in schema ? [[name, schema.default]] : [],
  );
  return { ...Object.fromEntries(defaults), ...given };
}
