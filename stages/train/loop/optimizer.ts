/** The optimizer of a training: the one place where it is made. */
import * as tf from "@tensorflow/tfjs-core";
import { adam, type Optimizer } from "../engine/adam.ts";

/** The values of the param `optimizer`; `sgd` has a momentum of 0.9. */
export type OptimizerName = "adam" | "sgd";

/** Makes an optimizer whose `learningRate` is set before each step. */
export const optimizerOf = (name: OptimizerName): Optimizer =>
  name === "adam" ? adam() : (tf.train.momentum(0, 0.9) as unknown as Optimizer);
