/** Representations of the images, of every kind, behind one interface: distances of some images to others. */
import * as tf from "@tensorflow/tfjs-core";
import type { InputFile, Point } from "../../runner/stage.ts";
import { bytesOf, readCodes } from "../shared/artifacts/codes.ts";
import { rowsOf, type Split } from "../shared/artifacts/split.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { Blocks } from "../shared/retrieval/hamming/blocks.ts";
import { labelOf, rawLabel } from "../shared/runs/groups.ts";
import { meanOfRows } from "../shared/statistics/means.ts";

/** How near two vectors are, as in evaluate. */
export type Distance = "euclidean" | "cosine" | "centred-cosine";

/** Vectors or codes of the images. */
export interface Representation {
  /** The instance that made it. */
  id: string;
  /** Of its group. */
  name: string;
  point: Point;
  kind: "features" | "embedding" | "code";
  distance: Distance | "hamming";
  /** Dimensions, or bits. */
  dim: number;
  ids: Uint32Array;
  labels: Uint16Array;
  classes: string[];
  /**
   * Distances of some images to others, one block of rows after the other.
   * @param from rows of the table
   * @param to likewise
   * @param visit called for each of `from`, in order; the distances `[to]` are its own until it returns
   */
  distances(
    from: Uint32Array,
    to: Uint32Array,
    visit: (index: number, distances: Float32Array) => void,
  ): void;
}

/** Images that go through one matrix product. */
const BLOCK = 64;

/** The chosen rows `[rows, dim]`, less the centre, brought to length 1 where asked (a vector of zeros stays). */
function take(
  values: Float32Array,
  dim: number,
  rows: Uint32Array,
  centre: Float64Array | undefined,
  unit: boolean,
): Float32Array {
  const taken = new Float32Array(rows.length * dim);
  for (const [at, row] of rows.entries()) {
    const vector = taken.subarray(at * dim, (at + 1) * dim);
    let squares = 0;
    for (let d = 0; d < dim; d++) {
      vector[d] = values[row * dim + d] - (centre?.[d] ?? 0);
      squares += vector[d] * vector[d];
    }
    if (unit && squares > 0) for (let d = 0; d < dim; d++) vector[d] /= Math.sqrt(squares);
  }
  return taken;
}

/** The squared length of each row. */
function squaredLengths(values: Float32Array, dim: number): Float64Array {
  const lengths = new Float64Array(values.length / dim);
  for (let i = 0; i < values.length; i++) lengths[Math.floor(i / dim)] += values[i] * values[i];
  return lengths;
}

/**
 * Opens features or embeddings. Distances are Euclidean, of unit vectors 1 - cosine; the backend must be started.
 * @param raw how near vectors are that nothing was trained on; `trained`: the others
 * @throws UserError as the readers do
 */
export function openVectors(
  { path, id, point }: InputFile,
  split: Split,
  { raw, trained }: { raw: Distance; trained: Distance },
): Representation {
  const { ids, labels, values, dim, classes, metadata } = readVectors(path);
  const isRaw = metadata.loss === undefined;
  const distance = isRaw ? raw : trained;
  const unit = distance !== "euclidean";
  const centre =
    distance === "centred-cosine" ? meanOfRows(values, dim, rowsOf(split, "train", ids, path)) : undefined;
  return {
    id,
    name: isRaw ? rawLabel(point) : labelOf(point, id),
    point,
    kind: isRaw ? "features" : "embedding",
    distance,
    dim,
    ids,
    labels,
    classes,
    distances(from, to, visit) {
      const items = take(values, dim, to, centre, unit);
      const lengths = squaredLengths(items, dim);
      const columns = tf.tidy(() => tf.transpose(tf.tensor2d(items, [to.length, dim])));
      const found = new Float32Array(to.length);
      for (let first = 0; first < from.length; first += BLOCK) {
        const block = take(values, dim, from.subarray(first, first + BLOCK), centre, unit);
        const own = squaredLengths(block, dim);
        const product = tf.tidy(() => tf.matMul(tf.tensor2d(block, [own.length, dim]), columns));
        const products = product.dataSync() as Float32Array;
        product.dispose();
        for (let i = 0; i < own.length; i++) {
          for (let j = 0; j < to.length; j++) {
            // Rounding can take a distance of 0 below it.
            const squared = Math.max(0, own[i] + lengths[j] - 2 * products[i * to.length + j]);
            found[j] = unit ? squared / 2 : Math.sqrt(squared);
          }
          visit(first + i, found);
        }
      }
      columns.dispose();
    },
  };
}

/** Opens binary codes: their distance is the number of bits in which they differ (Hamming). */
export function openCodes({ path, id, point }: InputFile): Representation {
  const { ids, labels, values, bits, classes } = readCodes(path);
  const bytes = bytesOf(bits);
  const code = (row: number) => values.subarray(row * bytes, (row + 1) * bytes);
  return {
    id,
    name: labelOf(point, id),
    point,
    kind: "code",
    distance: "hamming",
    dim: bits,
    ids,
    labels,
    classes,
    distances(from, to, visit) {
      const items = new Uint8Array(to.length * bytes);
      for (const [at, row] of to.entries()) items.set(code(row), at * bytes);
      const blocks = new Blocks(items, bits);
      const found = new Float32Array(to.length);
      for (const [index, row] of from.entries()) {
        found.set(blocks.measure(code(row)));
        visit(index, found);
      }
    },
  };
}
