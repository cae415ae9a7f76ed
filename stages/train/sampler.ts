/** What a file of samplers/ must offer: a part of the stage `train`. */
import type { PartDefinition } from "../../runner/stage.ts";
import type { Random } from "../shared/random.ts";

export interface SamplerDefinition extends PartDefinition {
  /**
   * @param labels `[images]`
   * @returns a function that draws the next batch: indices into `labels`
   */
  start(labels: Uint16Array, params: Record<string, unknown>, random: Random): () => Int32Array;
}
