/**
 * Data: tables of examples, as files or in memory, and splits. The tables are those of the pipeline: Arrow files that its
 * stages write and read.
 *
 * @example
 * const data = tableOf({ values, shape: [64], labels, classes: ["cat", "dog"] });
 * const split = splitOf(data, { protocol: own, validation: 20, seed: 1 });
 * const rows = rowsOf(split, "train", data.ids, "my data");
 * @module
 */
import type { Examples } from "../stages/shared/artifacts/examples.ts";
import { checkRoles, type Split } from "../stages/shared/artifacts/split.ts";
import { random } from "../stages/shared/compute/random.ts";
import type { Protocol } from "../stages/split/protocol.ts";
import { type Chosen, chosen } from "./params.ts";

export { type Examples, readExamples } from "../stages/shared/artifacts/examples.ts";
export { type ImageList, readImageList, readPixels, writeImages } from "../stages/shared/artifacts/images.ts";
export {
  checkRoles,
  type Roles,
  readSplit,
  rowsOf,
  type Split,
  writeSplit,
} from "../stages/shared/artifacts/split.ts";
export { readVectors, type Vectors, writeVectors } from "../stages/shared/artifacts/vectors.ts";
export { type Random, random } from "../stages/shared/compute/random.ts";
export { defineProtocol, type Protocol } from "../stages/split/protocol.ts";
export { default as official } from "../stages/split/protocols/official.ts";
export { default as own } from "../stages/split/protocols/own.ts";
export { default as P1 } from "../stages/split/protocols/P1.ts";
export { default as P2 } from "../stages/split/protocols/P2.ts";
export { default as unseen } from "../stages/split/protocols/unseen.ts";

/** The parts of a table in memory. */
export interface TableParts {
  /** `[rows, ...shape]`, row-major */
  values: Float32Array;
  /** Of one example: `[dim]` for vectors, `[height, width, channels]` for images. */
  shape: number[];
  /** `[rows]`, indices into `classes` */
  labels: ArrayLike<number>;
  classes: string[];
  /** `[rows]`, each once; by default 0, 1, 2, … */
  ids?: Uint32Array;
}

/** A table in memory, as {@link readExamples} reads one. @throws RangeError when the parts do not fit each other */
export function tableOf({ values, shape, labels, classes, ids }: TableParts): Examples {
  const size = shape.reduce((product, length) => product * length, 1);
  const rows = labels.length;
  if (values.length !== rows * size)
    throw new RangeError(
      `${values.length} values are not ${rows} examples of [${shape.join(", ")}], which take ${rows * size}.`,
    );
  if (ids && ids.length !== rows) throw new RangeError(`${ids.length} ids do not fit ${rows} labels.`);
  for (let row = 0; row < rows; row++)
    if (!(labels[row] in classes))
      throw new RangeError(`row ${row} has the label ${labels[row]}, which is no class.`);
  return {
    ids: ids ?? Uint32Array.from({ length: rows }, (_, row) => row),
    labels: Uint16Array.from(labels),
    classes,
    rows,
    shape,
    metadata: {},
    take(wanted) {
      const out = new Float32Array(wanted.length * size);
      for (let i = 0; i < wanted.length; i++)
        out.set(values.subarray(wanted[i] * size, (wanted[i] + 1) * size), i * size);
      return out;
    },
  };
}

/** How a split is drawn. */
export interface SplitOptions {
  /** One of the protocols of this module, or `{ use: own, queries: 5 }` with its params. */
  protocol: Chosen<Protocol<never>>;
  /** Images that validate. */
  validation: number;
  seed: number;
  /** `[rows]`: 1 where the data set publishes the image as a test image; `official`, `P1` and `P2` need it. */
  test?: Uint8Array;
  onWarning?(line: string): void;
}

/** Draws the images that train, validate, query and are searched. @throws UserError when a role would be empty, or overlap */
export function splitOf(
  { ids, labels, classes }: Pick<Examples, "ids" | "labels" | "classes">,
  { protocol, validation, seed, test = new Uint8Array(labels.length), onWarning = () => {} }: SplitOptions,
): Split {
  const { part, params } = chosen(protocol as Chosen<Protocol>, "protocol");
  const roles = part.draw({ labels, test, classes }, validation, random(seed, "split"), params, onWarning);
  checkRoles(ids, roles, "split");
  return { ids, labels, ...roles, protocol: "own", seed };
}
