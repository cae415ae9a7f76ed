/** The real values behind the bits of an index's codes: they order images with the same code. */
import { DataType, type FixedSizeList, Precision } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { numbers, readTable } from "./arrow.ts";
import type { Codes } from "./codes.ts";
import { narrow } from "./half.ts";
import { writeVectors } from "./vectors.ts";

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

/** The exponent of a float16 that is no number, or infinite. */
const NOT_FINITE = 0x7c00;

/**
 * Reads the outputs behind codes, `[rows, bits]`, as the bits of float16.
 * @throws UserError when they are of other codes, or not finite
 */
export function readOutputs(path: string, { ids, bits }: Pick<Codes, "ids" | "bits">): Uint16Array {
  const table = readTable(path, "vectors");
  const column = table.getChild("vector")!;
  const { listSize, children } = column.type as FixedSizeList;
  const found = numbers(table, "id");
  if (
    listSize !== bits ||
    !DataType.isFloat(children[0].type) ||
    children[0].type.precision !== Precision.HALF ||
    found.length !== ids.length ||
    found.some((id, row) => id !== ids[row])
  )
    throw new UserError(
      `${path}: outputs of other images or of another length than the codes. Make the index again.`,
    );
  const parts = column.data.map(({ children: [child], offset, length }) =>
    (child.values as Uint16Array).subarray(offset * bits, (offset + length) * bits),
  );
  const outputs = parts.length === 1 ? parts[0] : joined(parts, ids.length * bits);
  for (let i = 0; i < outputs.length; i++)
    if ((outputs[i] & NOT_FINITE) === NOT_FINITE)
      throw new UserError(
        `${path}: image ${ids[Math.floor(i / bits)]} has an output that is not finite. Make the index again.`,
      );
  return outputs;
}

function joined(parts: Uint16Array[], length: number): Uint16Array {
  const whole = new Uint16Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
