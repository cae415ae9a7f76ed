/** What a file of samplers/ must offer: a part of the stage `train`. */
import type { PartDefinition } from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import type { Given } from "./scoring/batch.ts";

/** One batch. Its pairs or triplets are rows of the batch; without any, the loss's selector chooses. */
export interface Drawn extends Given {
  /** Indices of the images `[batch]`. */
  images: Int32Array;
}

export interface SamplerDefinition extends PartDefinition {
  /** What each of its batches holds beside the images; such a batch needs no selector. */
  gives?: "pairs" | "triplets";
  /**
   * @param labels `[images]`
   * @returns a function that draws the next batch: indices into `labels`
   */
  start(labels: Uint16Array, params: Record<string, unknown>, random: Random): () => Drawn;
  /**
   * Where the sampler {@link gives} something: the fixed set to measure a loss on, one pair or triplet for each
   * image, as indices into `labels`. The same seed gives the same set.
   */
  testSet?(labels: Uint16Array, random: Random): Given;
}
