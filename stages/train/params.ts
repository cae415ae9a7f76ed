/** The params of the stage `train`; schemas/train.params.schema.json describes them. */
import type { BackendParam } from "../shared/compute/start.ts";

export interface Params {
  dim: number;
  /** Where the training of a backbone starts; and the side of its images. */
  from?: string;
  size?: number;
  steps: number;
  evaluate_every: number;
  patience: number;
  normalise: "auto" | boolean;
  optimizer: "adam" | "sgd";
  /** May be a schedule, or one for each group of weights. */
  learning_rate: unknown;
  weight_decay?: number;
  gradient_clip?: number;
  validation_loss: boolean;
  backend: BackendParam;
  seed: number;
}
