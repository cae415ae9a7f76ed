/** Optimizers: how weights move by their gradients. */
import * as tf from "@tensorflow/tfjs-core";

/** The state of an optimizer between steps. */
export interface OptimizerState {
  /** Tensors of each weight, by the weight's name. */
  slots: Map<string, tf.Tensor[]>;
  /** Of all weights. */
  numbers: number[];
}

/** The interface of an optimizer. */
export interface Optimizer {
  learningRate: number;
  /** @param gradients by the names of the weights, each in the weight's shape */
  applyGradients(gradients: Record<string, tf.Tensor>): void;
  /** It may be replaced by that of another run. */
  state: OptimizerState;
}

/** The weight of this name. */
export const weightOf = (name: string): tf.Variable => tf.engine().registeredVariables[name];

/** Zeros in the shape of a weight, for a slot. */
export const zerosFor = (variable: tf.Variable): tf.Tensor => tf.keep(tf.zeros(variable.shape));

/** Puts tensors into the slots of a weight, in the place of others. */
export function fillSlots({ slots }: OptimizerState, name: string, values: tf.Tensor[]): void {
  tf.dispose(slots.get(name) ?? []);
  slots.set(
    name,
    values.map((value) => tf.keep(value)),
  );
}

/** The share of the velocity that SGD keeps. */
export const MOMENTUM = 0.9;

/** Stochastic gradient descent with momentum (Polyak 1964): v ← momentum v + gradient; weight ← weight - rate v. */
export function momentum(share = MOMENTUM): Optimizer {
  const state: OptimizerState = { slots: new Map(), numbers: [] };
  return {
    learningRate: 0,
    state,
    applyGradients(gradients) {
      for (const [name, gradient] of Object.entries(gradients)) {
        const variable = weightOf(name);
        tf.tidy(() => {
          const before = state.slots.get(name)?.[0];
          const velocity = before ? tf.add(tf.mul(before, share), gradient) : tf.clone(gradient);
          fillSlots(state, name, [velocity]);
          variable.assign(tf.sub(variable, tf.mul(velocity, this.learningRate)));
        });
      }
    },
  };
}
