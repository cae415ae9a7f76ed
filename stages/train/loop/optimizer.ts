/** The optimizer of a training: the one place where it is made. */
import * as tf from "@tensorflow/tfjs-core";
import { adam, type Optimizer } from "../engine/adam.ts";

/** The values of the param `optimizer`; `sgd` has a momentum of 0.9. */
export type OptimizerName = "adam" | "sgd";

const optimizerOf = (name: OptimizerName): Optimizer =>
  name === "adam" ? adam() : (tf.train.momentum(0, 0.9) as unknown as Optimizer);

/** Moves weights by their gradients, undefined for a weight that nothing depends on: once a step. */
export type Update = (gradients: (tf.Tensor | undefined)[], learningRate: number) => void;

/** Makes the optimizer of some weights, on the backend at work. */
export function updater(variables: tf.Variable[], name: OptimizerName): Update {
  const optimizer = optimizerOf(name);
  return (gradients, learningRate) => {
    const named = variables.flatMap(({ name }, index) => {
      const gradient = gradients[index];
      return gradient ? [[name, gradient] as const] : [];
    });
    optimizer.learningRate = learningRate; // may be a schedule's
    optimizer.applyGradients(Object.fromEntries(named));
  };
}
