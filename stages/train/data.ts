/** The images of a training: those that it learns from, and those that it is validated on. */
import { type Examples, readExamples } from "../shared/artifacts/examples.ts";
import { readSplit, retrievesItself, rowsOf } from "../shared/artifacts/split.ts";
import { random } from "../shared/compute/random.ts";

export interface TrainingData {
  examples: Examples;
  protocol: string;
  /** Rows of the examples. */
  train: Uint32Array;
  validation: Uint32Array;
  /** Training images that the validation images are to find. */
  database: Uint32Array;
  /** Whether `database` is `validation`, and each image is left out of its own ranking. */
  itself: boolean;
}

/**
 * Reads the inputs of a training.
 * @param inputs the paths of `data` and `split`
 * @param takes the kind of examples that the network takes
 * @throws UserError where the split names images that are not there
 */
export function readTrainingData(
  inputs: Record<string, string>,
  takes: "features" | "images",
  seed: number,
): TrainingData {
  const examples = readExamples(inputs.data, takes);
  const split = readSplit(inputs.split);
  const train = rowsOf(split, "train", examples.ids, inputs.data);
  const validation = rowsOf(split, "validation", examples.ids, inputs.data);
  const itself = retrievesItself(split.protocol);
  // As many as validate: enough to rank by, and cheap to embed at every evaluation.
  const database = itself
    ? validation
    : random(seed, "validation database").shuffle(train.slice()).subarray(0, validation.length);
  return { examples, protocol: split.protocol, train, validation, database, itself };
}

/** The labels of these rows. */
export const labelsOf = ({ labels }: Examples, rows: Uint32Array): Uint16Array =>
  Uint16Array.from(rows, (row) => labels[row]);
