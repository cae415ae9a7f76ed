/**
 * Asymmetric deep supervised hashing: outputs against codes of training images.
 *
 * Every training image has a code v that is a variable of its own: the signs of its outputs when a batch first has it;
 * after every `every` steps, all codes are found bit by bit (discrete cyclic coordinate descent) for the outputs that
 * images had in these steps. Between these steps the codes are constants, and the network trains.
 *
 * The paper searches the codes v, which are found with the labels of the images that they belong to; its numbers do
 * not compare with those of a method that encodes the searched images without their labels. DeepHash does not search
 * them: a code is the signs of the network's outputs, for training images, searched images and queries alike, so that
 * the numbers compare. The codes v serve the training alone. The validation loss is measured with the signs of a
 * batch's own outputs in their place.
 *
 * @equation
 * u = tanh(outputs),  v_j in {-1, 1} the code of training image j of n
 * s_ij = 1 for similar images, else minus the number of similar pairs over that of the others (without balance: -1)
 * mean over images i of the batch and all j of  (u_i·v_j - dim s_ij)² / dim
 *     + gamma / (dim · n) · mean over i of  |v_i - u_i|²
 * @when A published baseline is needed that compares each batch with all training images, at the cost of a batch. An
 * image has one label.
 * @source Jiang & Li 2018, "Asymmetric deep supervised hashing", equations 3 and 10 (the sum divided by dim times its
 * pairs); balance is from the authors' code: with ten classes, nine of ten pairs would otherwise pull codes apart
 */
import { enterBatch, findCodes, noCodes, scoreCodes } from "../hashing/learned-codes.ts";
import { checkOutputs } from "../hashing/quantisation.ts";
import { checkLabels, defineLoss, noCounts } from "../loss.ts";
import { scheduled } from "../schedules.ts";
import { matrixLoss } from "../scoring/ops.ts";

export default defineLoss({
  normalise: false,
  codes: true,
  selects: "nothing",
  learnsCodes: true,
  params: {
    gamma: scheduled({
      default: 200,
      minimum: 0,
      description: "weight of the distance to an image's own code",
    }),
    every: { type: "integer", minimum: 1, default: 50, description: "steps after which the codes are found" },
    balance: {
      type: "boolean",
      default: true,
      description: "whether the similarities of all pairs of training images sum to 0",
    },
  },
  start({ dim, classes }) {
    const counters = noCounts();
    return {
      variables: [],
      counters,
      loss(embeddings, labels, { every, ...weights }, given) {
        checkLabels(labels, classes);
        return matrixLoss(embeddings, counters, (values) => {
          checkOutputs(values);
          const outputs = Float64Array.from(values);
          for (let at = 0; at < outputs.length; at++) outputs[at] = Math.tanh(outputs[at]);
          // Without a share it is no step of a training, and the images are others: see the validation loss.
          const images = given?.share === undefined ? undefined : given.images;
          const held = (images && counters.codes) ?? noCodes(dim, classes);
          if (images) counters.codes = held;
          const rows = enterBatch(held, images ?? labels.map((_, i) => i), labels, outputs);
          const scored = scoreCodes(held, rows, outputs, weights);
          if (images && held.steps % every === 0) findCodes(held, weights);
          const gradient = values.map((_, at) => scored.gradient[at] * (1 - outputs[at] * outputs[at]));
          return { loss: scored.loss, gradient };
        });
      },
    };
  },
});
