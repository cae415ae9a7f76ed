/** An affine map, or waves along one, whose signs are the bits of a code, and the Arrow table that keeps it for images to come. */
import * as tf from "@tensorflow/tfjs-core";
import { Field, FixedSizeList, Float32 } from "apache-arrow";
import { readMetadata, readTable, writeTable } from "./arrow.ts";

/** Bit j of a vector x is 1 where weights_j · x + offset_j > 0; where `wave`, where the cosine of that is. */
export interface Projection {
  /** `[bits, dim]`, row-major */
  weights: Float32Array;
  /** `[bits]` */
  offset: Float32Array;
  bits: number;
  dim: number;
  wave?: boolean;
}

/** Vectors that go through one matrix product. */
const BLOCK = 1000;

/**
 * Projects vectors, block by block, on the tensor backend.
 * @param values `[rows, dim]`
 * @returns `[rows, bits]`
 */
export function project(
  { weights, offset, bits, dim, wave }: Projection,
  values: Float32Array,
): Float32Array {
  const rows = values.length / dim;
  const out = new Float32Array(rows * bits);
  const columns = tf.tidy(() => tf.transpose(tf.tensor2d(weights, [bits, dim])));
  const shift = tf.tensor1d(offset);
  for (let first = 0; first < rows; first += BLOCK) {
    const count = Math.min(BLOCK, rows - first);
    const block = tf.tidy(() => {
      const x = tf.tensor2d(values.subarray(first * dim, (first + count) * dim), [count, dim]);
      return tf.add(tf.matMul(x, columns), shift);
    });
    out.set(block.dataSync() as Float32Array, first * bits);
    block.dispose();
  }
  tf.dispose([columns, shift]);
  return wave ? out.map(Math.cos) : out;
}

/** Writes a projection (artifact `projection`), one row a bit. */
export function writeProjection(path: string, { weights, offset, bits, dim, wave }: Projection): void {
  const list = new FixedSizeList(dim, new Field("value", new Float32(), false));
  writeTable(
    path,
    "projection",
    { offset: new Float32(), weights: list },
    bits,
    { offset, weights },
    { ...(wave && { wave }) },
  );
}

/** Reads a projection. @throws UserError when the file is none */
export function readProjection(path: string): Projection {
  const table = readTable(path, "projection");
  const column = table.getChild("weights")!;
  const bits = table.numRows;
  const dim = (column.type as FixedSizeList).listSize;
  const [{ children, offset, length }] = column.data;
  const weights = Float32Array.from(children[0].values.subarray(offset * dim, (offset + length) * dim));
  const offsets = Float32Array.from(table.getChild("offset")!.toArray());
  return { weights, offset: offsets, bits, dim, ...(readMetadata(table).wave === true && { wave: true }) };
}
