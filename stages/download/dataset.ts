/** The interface of the files of datasets/: parts of the stage `download`. */
import type { ParamSchemas, ParamsOf, PartDefinition, Scalar, WithSchemas } from "../../runner/stage.ts";
import type { Fit } from "../shared/download/decode.ts";
import type { FetchContext } from "../shared/download/fetch.ts";
import type { Published } from "../shared/folder/folder.ts";

/**
 * The purpose for which a data set publishes an image. A test image queries; where queries search other images than those that train,
 * `database` images are searched only, and `train+database` images train and are searched.
 */
export type Role = Published | "database" | "train+database";

/** One image. */
export interface ImageRow {
  id: number;
  /** As the data set publishes it. */
  split: Role;
  /** Of several labels the lowest. */
  label: number;
  /** All labels, ascending, where images of the data set may have several. */
  labels?: number[];
  /** `[height, width, channels]` bytes. */
  pixels: Uint8Array;
}

/** The facts of a data set that are known before its first image. */
export interface DatasetInfo {
  dataset: string;
  height: number;
  width: number;
  channels: number;
  /** How images of another shape were brought to this one. */
  fit?: Fit;
  classes: string[];
  /** Of each class the name of its category, where classes are grouped. */
  categories?: string[];
  /** Why they have none, where a list names some that are not one for each class. */
  no_categories?: string;
  /** Whether an image may have several labels: every row then has `labels`. */
  several?: boolean;
  /** sha256 of each list of the images that belong to the data set, by the file's name. */
  lists?: Record<string, string>;
  /** By id, before download adds its `first`, the names of the images at their source, as a file's. */
  names?: string[];
  /** How many images will come; for the progress. */
  images: number;
}

/** The context of a data set, besides its params. */
export interface DatasetContext extends FetchContext {
  /** The folder of the input `files`; absent where there is none. */
  files?: string;
  note(name: string, value: Scalar): void;
}

/**
 * A data set: its source, and its images in their published order.
 * @typeParam P the params that it declares
 */
export interface Dataset<P = Record<string, unknown>> extends PartDefinition {
  /** Whether it always publishes which images are searched: the plan then refuses protocols that draw them. */
  searched?: boolean;
  /** Whether its classes may have categories: the plan refuses samplers by category for any other. */
  categories?: boolean;
  open(
    params: P,
    context: DatasetContext,
  ): Promise<{ info: DatasetInfo; rows: AsyncIterable<ImageRow> | Iterable<ImageRow> }>;
}

/** Declares a data set; the params of `open` have the types that its JSON Schemas accept. */
export function defineDataset<const S extends ParamSchemas>(
  dataset: WithSchemas<Dataset<ParamsOf<S>>, S>,
): Dataset<ParamsOf<S>> {
  return dataset;
}
