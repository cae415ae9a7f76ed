/**
 * Cross-batch memory (Wang, Zhang, Huang & Scott 2020): embeddings of earlier batches are further partners of a batch's
 * images. They are constants: only the batch has a gradient, and only its images are anchors. The batch is in the memory
 * too, so that a pair of two of its images counts once for each of them, with a gradient to that one; no image is
 * paired with its own copy.
 */
import { type SchemaOf, UserError } from "../../../runner/stage.ts";
import { type Batch, type Given, nearSquared, type Pairs } from "./batch.ts";

/** The value of the param `memory`. */
export interface MemoryParams {
  /** Embeddings in the memory, those of the batch included. */
  size: number;
  /** The share of all steps from which on it is used; default 0. */
  from?: number;
}

/** The param `memory` of a loss of pairs, triplets or distances. Absent: no memory. */
export const memoryParam: { memory: SchemaOf<MemoryParams | undefined> } = {
  memory: {
    optional: true,
    type: "object",
    required: ["size"],
    additionalProperties: false,
    properties: {
      size: { type: "integer", minimum: 2 },
      from: { type: "number", minimum: 0, exclusiveMaximum: 1 },
    },
    description:
      "cross-batch memory { size, from }: the last `size` embeddings, first in first out, are partners of the batch's images from the share `from` of all steps on",
  },
};

/** Rows that entered before. */
export interface Earlier {
  count: number;
  /** `[count, dim]` */
  rows: Float32Array;
  labels: Int32Array;
  /** See {@link Given.labelSets}. */
  labelSets?: Uint8Array;
}

/** Holds the last embeddings of a training, in the order in which they came. */
export interface MemoryHolder {
  memory?: Earlier;
}

/** The last embeddings of a training. */
export interface MemoryBank {
  /**
   * The batch enters.
   * @returns the rows that are in the memory with it, at first none; undefined without a memory
   * @throws UserError when the memory has no room beside the batch, or a sampler gives pairs or triplets
   */
  enter(
    memory: MemoryParams | undefined,
    rows: Float32Array,
    labels: Int32Array,
    given: Given,
  ): Earlier | undefined;
}

type Numbers = Float32Array | Int32Array | Uint8Array;
const last = <T extends Numbers>(values: T, count: number): T =>
  values.subarray(Math.max(0, values.length - count)) as T;
/** A copy of one array after the other. */
function joined<T extends Numbers>(first: T, second: T): T {
  const both = new (first.constructor as new (length: number) => T)(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** A memory, empty at first. @param holder keeps the embeddings, so that a checkpoint finds them */
export function memoryBank(holder: MemoryHolder): MemoryBank {
  const empty: Earlier = { count: 0, rows: new Float32Array(0), labels: new Int32Array(0) };
  return {
    enter(memory, rows, labels, given) {
      // Without a share it is no step of a training: a loss that is only measured.
      if (!memory || given.share === undefined || given.share < (memory.from ?? 0)) return undefined;
      const size = labels.length;
      if (given.pairs || given.triplets)
        throw new UserError(
          "train: the sampler gives pairs or triplets of the batch, so that a memory has no part in them. Leave out memory, or take the sampler balanced.",
        );
      if (memory.size <= size)
        throw new UserError(
          `train: memory.size is ${memory.size}, but the batch of ${size} images is in the memory too. Take more than ${size}.`,
        );
      const room = memory.size - size;
      const dim = rows.length / size;
      const classes = given.labelSets ? given.labelSets.length / size : 0;
      const held = holder.memory ?? empty;
      const earlier: Earlier = {
        count: Math.min(held.count, room),
        rows: last(held.rows, room * dim),
        labels: last(held.labels, room),
        labelSets: held.labelSets && last(held.labelSets, room * classes),
      };
      holder.memory = {
        count: earlier.count + size,
        rows: joined(earlier.rows, rows),
        labels: joined(earlier.labels, labels),
        labelSets: given.labelSets && joined(earlier.labelSets ?? new Uint8Array(0), given.labelSets),
      };
      return earlier;
    },
  };
}

/**
 * The squared distances of the batch's rows to all rows `[anchors, size]`, as `squaredDistances` has them.
 * @param gram inner products `[anchors, size]`
 * @param rows the batch's, then those of the memory `[size, dim]`
 */
export function squaredToAll(gram: Float32Array, rows: Float32Array, size: number): Float32Array {
  const dim = rows.length / size;
  const lengths = new Float64Array(size);
  for (let j = 0, at = 0; j < size; j++)
    for (const end = at + dim; at < end; at++) lengths[j] += rows[at] * rows[at];
  const squared = new Float32Array(gram.length);
  for (let i = 0, at = 0; at < gram.length; i++)
    for (let j = 0; j < size; j++, at++)
      if (i !== j) squared[at] = nearSquared(gram[at], lengths[i] + lengths[j], rows, i * dim, j * dim, dim);
  return squared;
}

/**
 * A batch with a memory: its rows are the anchors, and all rows their partners.
 * @param batch the labels of its rows, and their sets
 * @param squared see {@link squaredToAll}
 */
export function memoryBatch(
  batch: { labels: Int32Array; labelSets?: Uint8Array },
  earlier: Earlier,
  squared: Float32Array,
  dim: number,
): Batch {
  const anchors = batch.labels.length;
  const labels = joined(batch.labels, earlier.labels);
  const size = labels.length;
  const similarity = batch.labelSets
    ? ofSets(joined(batch.labelSets, earlier.labelSets!), size)
    : (i: number, j: number) => Number(labels[i] === labels[j]);
  const members: Int32Array[] = [];
  const negatives: Int32Array[] = [];
  for (let i = 0; i < size; i++) {
    const own: number[] = [];
    const others: number[] = [];
    if (i >= anchors) own.push(i);
    else for (let j = 0; j < size; j++) (j === i || similarity(i, j) > 0 ? own : others).push(j);
    members.push(Int32Array.from(own));
    negatives.push(Int32Array.from(others));
  }
  const similar = (i: number, j: number) => similarity(i, j) > 0;
  const positives = positivesOf(members);
  return {
    size,
    anchors,
    memory: true,
    dim,
    labels,
    similar,
    similarity,
    squared,
    members,
    negatives,
    positives,
  };
}

/** Each anchor with each of its positives. */
function positivesOf(members: Int32Array[]): Pairs {
  const count = members.reduce((sum, own) => sum + own.length - 1, 0);
  const pairs: Pairs = { first: new Int32Array(count), second: new Int32Array(count), count: 0 };
  for (const [i, own] of members.entries())
    for (const j of own)
      if (j !== i) {
        pairs.first[pairs.count] = i;
        pairs.second[pairs.count++] = j;
      }
  return pairs;
}

/** The cosine of two rows' sets of labels. */
function ofSets(sets: Uint8Array, size: number): (i: number, j: number) => number {
  const classes = sets.length / size;
  const shared = (i: number, j: number) => {
    let count = 0;
    for (let c = 0; c < classes; c++) count += sets[i * classes + c] & sets[j * classes + c];
    return count;
  };
  const counts = Float64Array.from({ length: size }, (_, i) => shared(i, i));
  return (i, j) => {
    const both = shared(i, j);
    return both === 0 ? 0 : both / Math.sqrt(counts[i] * counts[j]);
  };
}
