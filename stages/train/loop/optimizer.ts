/** The optimizer of a training: the one place where it is made. */
import * as tf from "@tensorflow/tfjs-core";
import { valuesOf } from "../../shared/compute/variables.ts";
import { adam } from "../engine/adam.ts";
import { fillSlots, momentum } from "../engine/optimizer.ts";
import { fitsOneBuffer, gpuUpdater } from "./optimizer-webgpu.ts";
import { membersOf, type Rates } from "./rates.ts";
import type { OptimizerOptions, Updater } from "./updater.ts";

/** Gradients shorter by one factor where all together are longer than `most` (Pascanu et al. 2013). */
function clipped(gradients: (tf.Tensor | undefined)[], most: number): (tf.Tensor | undefined)[] {
  const given = gradients.filter((gradient) => gradient !== undefined);
  if (given.length === 0) return gradients;
  const length = tf.sqrt(tf.addN(given.map((gradient) => tf.sum(tf.square(gradient)))));
  const factor = tf.minimum(1, tf.div(most, tf.add(length, 1e-6)));
  return gradients.map((gradient) => gradient && tf.mul(gradient, factor));
}

/**
 * Makes the optimizer of some weights, on the backend at work: one for each group, for each has its learning rate.
 * @param backbone those of the variables that are of the group `backbone`; the others are of `head`
 */
export function updater(
  variables: tf.Variable[],
  options: OptimizerOptions,
  backbone: tf.Variable[] = [],
): Updater {
  if (tf.getBackend() === "webgpu" && variables.length > 0 && fitsOneBuffer(variables, options.optimizer))
    return gpuUpdater(variables, options, backbone);
  const { optimizer, weightDecay = 0, clip } = options;
  const groups = membersOf(variables, backbone).map((group) => ({
    ...group,
    own: optimizer === "adam" ? adam() : momentum(),
  }));
  const move = (gradients: (tf.Tensor | undefined)[], rates: Rates) => {
    for (const { group, members, own } of groups) {
      const moved = members.filter(({ at }) => gradients[at]);
      // Decoupled from the gradient (Loshchilov and Hutter 2019); a bias has one dimension.
      for (const { variable } of weightDecay > 0 ? moved : [])
        if (variable.rank > 1) variable.assign(tf.mul(variable, 1 - rates[group] * weightDecay));
      own.learningRate = rates[group]; // may be a schedule's
      own.applyGradients(
        Object.fromEntries(moved.map(({ variable, at }) => [variable.name, gradients[at]!])),
      );
    }
  };
  return {
    update: (gradients, rates) =>
      tf.tidy(() => move(clip === undefined ? gradients : clipped(gradients, clip), rates)),
    save: () =>
      Promise.all(
        groups.map(async ({ members, own: { state } }) => {
          const read = members.flatMap(({ variable: { name }, at }) => {
            const own = state.slots.get(name);
            return own ? [valuesOf(own).then((values): [number, Float32Array[]] => [at, values])] : [];
          });
          return { numbers: state.numbers, slots: await Promise.all(read) };
        }),
      ),
    restore(saved) {
      for (const [index, { numbers, slots }] of saved.entries()) {
        const { state } = groups[index].own;
        state.numbers = numbers;
        for (const [at, values] of slots) {
          const { name, shape } = variables[at];
          fillSlots(
            state,
            name,
            values.map((value) => tf.tensor(value, shape)),
          );
        }
      }
    },
    dispose() {
      for (const { own } of groups) {
        for (const slots of own.state.slots.values()) tf.dispose(slots);
        own.state.slots.clear();
      }
    },
  };
}
