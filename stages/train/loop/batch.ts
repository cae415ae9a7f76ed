/** The batch of a step: the one place where training examples are taken. */
import { expandSets } from "../../shared/artifacts/label-sets.ts";
import type { TrainingData } from "../data.ts";
import type { SampledBatch } from "../sampler.ts";

/** The examples of a step, and what the loss is given of them. */
export interface TrainingBatch {
  /** `[images, ...shape of an example]` */
  values: Float32Array;
  shape: number[];
  /** `[images]` */
  labels: Int32Array;
  /** Where images may have several labels, these too. */
  given: SampledBatch;
}

/** Takes the examples that a sampler drew. @param drawn indices into the training images */
export function takeBatch(
  { examples, train, takeTraining }: TrainingData,
  drawn: SampledBatch,
): TrainingBatch {
  const { sets, classes } = examples;
  const rows = Uint32Array.from(drawn.images, (index) => train[index]);
  return {
    values: takeTraining(rows),
    shape: [rows.length, ...examples.shape],
    labels: Int32Array.from(rows, (row) => examples.labels[row]),
    given: sets ? { ...drawn, labelSets: expandSets(sets, rows, classes.length) } : drawn,
  };
}
