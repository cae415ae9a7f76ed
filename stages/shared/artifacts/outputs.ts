/** The real values behind the bits of an index's codes: they order images with the same code. */
import { UserError } from "../../../runner/stage.ts";
import type { Codes } from "./codes.ts";
import { narrow } from "./half.ts";
import { readVectors, writeVectors } from "./vectors.ts";

/**
 * Each row at length 1, for only its direction is compared, rounded to float16. A row of zeros stays.
 * @param values `[rows, bits]`, what a projection made
 * @param where what made them, for the error
 * @returns `[rows, bits]`, the bits of float16
 * @throws UserError when a value is not finite
 */
export function directions(values: Float32Array, bits: number, where: string): Uint16Array {
  const unit = new Float32Array(values.length);
  for (let first = 0; first < values.length; first += bits) {
    let squares = 0;
    for (let i = first; i < first + bits; i++) squares += values[i] * values[i];
    if (!Number.isFinite(squares))
      throw new UserError(
        `${where}: image ${first / bits} gets outputs that are not finite: weights of its backbone, head or projection are corrupt. Make the index again.`,
      );
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = first; i < first + bits; i++) unit[i] = values[i] * scale;
  }
  return narrow(unit);
}

/** Writes the outputs behind codes. @param vector of {@link directions} */
export function writeOutputs(
  path: string,
  codes: Omit<Codes, "metadata" | "values">,
  vector: Uint16Array,
): void {
  const { ids, labels, bits, classes } = codes;
  writeVectors(path, { ids, labels, vector, dim: bits }, { classes });
}

/** Reads the outputs behind codes, `[rows, bits]`. @throws UserError when they are of other codes */
export function readOutputs(path: string, { ids, bits }: Pick<Codes, "ids" | "bits">): Float32Array {
  const { values, dim, ids: found } = readVectors(path);
  if (dim !== bits || found.length !== ids.length || found.some((id, row) => id !== ids[row]))
    throw new UserError(
      `${path}: outputs of other images or of another length than the codes. Make the index again.`,
    );
  return values;
}
