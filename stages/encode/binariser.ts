/** What a file of binarisers/ must offer: a part of the stage `encode`. */
import type { PartDefinition } from "../../runner/stage.ts";
import type { Projection } from "../shared/artifacts/projection.ts";
import type { Random } from "../shared/compute/random.ts";

/** The vectors that a binariser may learn from: the training images', never a query's. */
export interface Sample {
  /** `[rows, dim]` */
  values: Float32Array;
  rows: number;
  dim: number;
}

/** Makes bits of real values: the signs of a projection that is fitted without labels, or of the values themselves. */
export interface Binariser extends PartDefinition {
  /**
   * @param bits of a code
   * @throws UserError when so many bits cannot be had from these vectors
   */
  fit(sample: Sample, bits: number, random: Random, params: Record<string, unknown>): Projection;
}
