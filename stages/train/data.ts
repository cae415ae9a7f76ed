/** The images of a training: those that it learns from, and those that it is validated on. */
import { type Part, UserError } from "../../runner/stage.ts";
import { type Examples, readExamples, viewer } from "../shared/artifacts/examples.ts";
import { readSplit, retrievesItself, rowsOf } from "../shared/artifacts/split.ts";
import { augmentationsOf, drawViews } from "../shared/augmentation.ts";
import { random } from "../shared/compute/random.ts";
import type { NetworkDefinition } from "./network.ts";

export interface TrainingData {
  examples: Examples;
  protocol: string;
  /** Rows of the examples. */
  train: Uint32Array;
  validation: Uint32Array;
  /** Training images that the validation images are to find. */
  database: Uint32Array;
  /** What a step takes of training images: augmented, where the study asks for it. */
  takeTraining: Examples["take"];
  /** Whether `database` is `validation`, and each image is left out of its own ranking. */
  itself: boolean;
}

/** What a step takes of images that are augmented. @throws UserError for features */
function augmentedTake(
  { pixels }: Examples,
  parts: Record<string, Part>,
  seed: number,
): Examples["take"] | undefined {
  const augmentations = augmentationsOf(parts);
  if (augmentations.length === 0) return undefined;
  if (!pixels)
    throw new UserError(
      `train: the augmentation "${augmentations[0].name}" changes images, but the network "${parts.network.name}" takes features. Augment in extract, with its param views.`,
    );
  const draw = drawViews(augmentations, pixels.stored, seed);
  const see = viewer(pixels);
  return (rows) => see(rows, Array.from(rows, draw));
}

/**
 * Reads the inputs of a training.
 * @param inputs the paths of `data` and `split`
 * @throws UserError where the split names images that are not there, or features are to be augmented
 */
export function readTrainingData(
  inputs: Record<string, string>,
  parts: Record<string, Part>,
  seed: number,
): TrainingData {
  const examples = readExamples(inputs.data, (parts.network.part as NetworkDefinition).takes);
  const takeTraining = augmentedTake(examples, parts, seed) ?? examples.take;
  const split = readSplit(inputs.split);
  const train = rowsOf(split, "train", examples.ids, inputs.data);
  const validation = rowsOf(split, "validation", examples.ids, inputs.data);
  const itself = retrievesItself(split.protocol);
  // As many as validate: enough to rank by, and cheap to embed at every evaluation.
  const database = itself
    ? validation
    : random(seed, "validation database").shuffle(train.slice()).subarray(0, validation.length);
  return { examples, protocol: split.protocol, train, validation, database, takeTraining, itself };
}

/** The labels of these rows. */
export const labelsOf = ({ labels }: Examples, rows: Uint32Array): Uint16Array =>
  Uint16Array.from(rows, (row) => labels[row]);
