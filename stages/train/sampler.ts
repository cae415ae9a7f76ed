/** The interface of the files of samplers/: parts of the stage `train`. */
import type { ParamSchemas, ParamsOf, PartDefinition, WithSchemas } from "../../runner/stage.ts";
import type { Random } from "../shared/compute/random.ts";
import type { Given } from "./scoring/batch.ts";

/** One batch. Its pairs or triplets are rows of the batch; without any, the loss's selector chooses. */
export interface SampledBatch extends Given {
  /** Indices of the images `[batch]`. */
  images: Int32Array;
}

/** The facts of the images that a sampler draws from, beside their labels. */
export interface SamplerFacts {
  /** Whether images may have other labels too: an image alone in its class then may have positives. */
  several?: boolean;
  /** `[images]`, the number of its class's category; absent where classes have none. */
  categories?: Uint16Array;
}

/** Draws the batches of a training. @typeParam P the params that it declares */
export interface SamplerDefinition<P = Record<string, unknown>> extends PartDefinition {
  /** The tuples in each of its batches; such a batch needs no selector. */
  gives?: "pairs" | "triplets";
  /** Whether images may have several labels: `labels` then holds the lowest of each. */
  several?: boolean;
  /** Whether it draws by {@link SamplerFacts.categories}, and so needs them. */
  categories?: boolean;
  /**
   * @param labels `[images]`
   * @returns a function that draws the next batch: indices into `labels`
   */
  start(labels: Uint16Array, params: P, random: Random, facts?: SamplerFacts): () => SampledBatch;
  /**
   * Where the sampler {@link gives} something: the fixed set to measure a loss on, one pair or triplet for each
   * image, as indices into `labels`. The same seed gives the same set.
   */
  testSet?(labels: Uint16Array, random: Random): Given;
}

/** Declares a sampler; the params of `start` have the types that its JSON Schemas accept. */
export function defineSampler<const S extends ParamSchemas>(
  sampler: WithSchemas<SamplerDefinition<ParamsOf<S>>, S>,
): SamplerDefinition<ParamsOf<S>> {
  return sampler;
}
