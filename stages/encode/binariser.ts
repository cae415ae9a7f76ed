/** The interface of the files of binarisers/: parts of the stage `encode`. */
import type { ParamSchemas, ParamsOf, PartDefinition, WithSchemas } from "../../runner/stage.ts";
import type { Projection } from "../shared/artifacts/projection.ts";
import type { Rows } from "../shared/compute/principal.ts";
import type { Random } from "../shared/compute/random.ts";

/** The vectors that a binariser may learn from: the training images', never a query's. */
export type Sample = Rows;

/**
 * Turns real values into bits: the signs of a projection fitted without labels, or of the values themselves.
 * @typeParam P the params that it declares
 */
export interface Binariser<P = Record<string, unknown>> extends PartDefinition {
  /**
   * @param bits of a code
   * @throws UserError when so many bits cannot be had from these vectors
   */
  fit(sample: Sample, bits: number, random: Random, params: P): Projection;
}

/** Declares a binariser; the params of `fit` have the types that its JSON Schemas accept. */
export function defineBinariser<const S extends ParamSchemas>(
  binariser: WithSchemas<Binariser<ParamsOf<S>>, S>,
): Binariser<ParamsOf<S>> {
  return binariser;
}
