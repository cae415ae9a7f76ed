/** The params of the stage `train`; schemas/train.params.schema.json describes them. */
import type { BackendParam } from "../shared/compute/start.ts";

export interface Params {
  dim: number;
  steps: number;
  evaluate_every: number;
  patience: number;
  normalise: "auto" | boolean;
  optimizer: "adam" | "sgd";
  /** May be a schedule. */
  learning_rate: unknown;
  validation_loss: boolean;
  backend: BackendParam;
  seed: number;
}
