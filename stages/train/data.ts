/** The images of a training: those that it learns from, and those that it is validated on. */
import { type Part, UserError } from "../../runner/stage.ts";
import { splitCategories } from "../shared/artifacts/categories.ts";
import { type Examples, readExamples } from "../shared/artifacts/examples.ts";
import { readSplit, retrievesItself, rowsOf } from "../shared/artifacts/split.ts";
import { random } from "../shared/compute/random.ts";
import { checkActivations, entryOf, type Tuning } from "./backbone.ts";
import type { NetworkDefinition } from "./network.ts";
import type { SamplerDefinition } from "./sampler.ts";
import { Streams } from "./streams.ts";
import { augmentedTake, openViews } from "./views.ts";

export interface TrainingData {
  examples: Examples;
  protocol: string;
  /** Of each class the name of its category, where the sampler draws by them. */
  categories?: string[];
  /** Rows of the examples. */
  train: Uint32Array;
  validation: Uint32Array;
  /** Training images that the validation images are to find. */
  database: Uint32Array;
  /** The images that a step takes for training: augmented, where the study asks for it. */
  takeTraining: Examples["take"];
  /** How the views of features were made, where training takes such; for the recipe. */
  views: Record<string, unknown>;
  /** The streams of the steps. */
  streams: Streams;
  /** Whether `database` is `validation`, and each image is left out of its own ranking. */
  itself: boolean;
}

/**
 * Reads the inputs of a training.
 * @param inputs the paths of `data` and `split`, and perhaps of `views`
 * @param tuning of the backbone that trains
 * @throws UserError where the split names images that are not there, or features are to be augmented
 */
export async function readTrainingData(
  inputs: Record<string, string>,
  parts: Record<string, Part>,
  seed: number,
  tuning: Tuning | undefined,
): Promise<TrainingData> {
  const entry = tuning && entryOf(tuning);
  const takes = entry ? "images" : (parts.network.part as NetworkDefinition).takes;
  const examples = readExamples(inputs.data, takes, entry);
  checkActivations(tuning, examples, inputs.data);
  const split = readSplit(inputs.split);
  const train = rowsOf(split, "train", examples.ids, inputs.data);
  const validation = rowsOf(split, "validation", examples.ids, inputs.data);
  const categories = categoriesFor(parts.sampler, inputs.split, examples);
  const itself = retrievesItself(split.protocol);
  // As many as validate: enough to rank by, and cheap to embed at every evaluation.
  const database = itself
    ? validation
    : random(seed, "validation database").shuffle(train.slice()).subarray(0, validation.length);
  const streams = new Streams(seed);
  const stored = inputs.views
    ? await openViews(inputs.views, examples, train, streams.start("views"))
    : undefined;
  const takeTraining =
    augmentedTake(examples, parts, (name) => streams.start(name)) ?? stored?.take ?? examples.take;
  const views = stored?.about ?? {};
  return {
    examples,
    protocol: split.protocol,
    categories,
    train,
    validation,
    database,
    takeTraining,
    views,
    streams,
    itself,
  };
}

/** The categories, if the sampler draws by them. @throws UserError when there are none, or of other classes */
function categoriesFor({ name, part }: Part, split: string, { classes }: Examples): string[] | undefined {
  if (!(part as SamplerDefinition).categories) return undefined;
  const { categories, no_categories: why } = splitCategories(split);
  if (!categories)
    throw new UserError(
      `train: the sampler "${name}" draws by category, but the classes of ${split} have none${why ? ` (${why})` : ""}. Take a data set with categories (sop, cifar100, or csv with a column category), or the sampler balanced.`,
    );
  if (categories.length !== classes.length)
    throw new UserError(
      `train: ${split} has the categories of ${categories.length} classes, but there are ${classes.length}. Do both come from the same data set?`,
    );
  return categories;
}

/** The labels of these rows. */
export const labelsOf = ({ labels }: Examples, rows: Uint32Array): Uint16Array =>
  Uint16Array.from(rows, (row) => labels[row]);
