/**
 * join: several vectors of the same images as one: side by side, or their mean, which is as short as one of them. So
 * several scales, crops or backbones become one representation.
 */
import type { FixedSizeList } from "apache-arrow";
import { defineStage, UserError } from "../../runner/stage.ts";
import { readTable } from "../shared/artifacts/arrow.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { setBytes } from "../shared/artifacts/label-sets.ts";
import { readVectors, type Vectors, writeVectors } from "../shared/artifacts/vectors.ts";

/** @throws UserError when the tables do not hold the same images in the same order */
function checkSame(first: Omit<Vectors, "values">, other: Vectors, path: string): void {
  if (other.rows !== first.rows)
    throw new UserError(
      `join: ${path} has ${other.rows} images, the first input ${first.rows}. Join vectors of the same images.`,
    );
  if (Boolean(first.sets) !== Boolean(other.sets))
    throw new UserError(
      `join: images of ${first.sets ? "the first input" : path} have several labels each, those of ${first.sets ? path : "the first input"} have one. Join vectors of the same images.`,
    );
  const bytes = setBytes(first.classes.length);
  for (let row = 0; row < first.rows; row++) {
    if (other.ids[row] !== first.ids[row] || other.labels[row] !== first.labels[row])
      throw new UserError(
        `join: row ${row} of ${path} is image ${other.ids[row]} (label ${other.labels[row]}), that of the first input ${first.ids[row]} (label ${first.labels[row]}). Join vectors of the same images.`,
      );
    for (let at = row * bytes; first.sets && at < (row + 1) * bytes; at++)
      if (first.sets[at] !== other.sets![at])
        throw new UserError(
          `join: image ${first.ids[row]} has other labels in ${path} than in the first input. Join vectors of the same images.`,
        );
  }
}

/** The values in a vector of a table. */
const dimOf = (path: string): number =>
  (readTable(path, "vectors").getChild("vector")!.type as FixedSizeList).listSize;

/** The images of a table, without its vectors; copied, because views of a file keep all of it. */
function imagesOf(path: string): Omit<Vectors, "values"> {
  const { values: _, ids, labels, sets, ...about } = readVectors(path);
  return { ...about, ids: ids.slice(), labels: labels.slice(), ...(sets && { sets: sets.slice() }) };
}

/** Vectors side by side, `[rows, sum of the dims]` as float16, which the tables fill one after the other. */
function sideBySide(rows: number, dim: number) {
  const vector = new Uint16Array(rows * dim);
  let column = 0;
  const add = ({ values, dim: own }: Vectors): void => {
    for (let row = 0; row < rows; row++) {
      const at = row * dim + column;
      narrow(values.subarray(row * own, (row + 1) * own), vector.subarray(at, at + own));
    }
    column += own;
  };
  return { add, joined: () => vector };
}

/** The mean of vectors, `[rows, dim]` as float16. */
function meanOf(rows: number, dim: number) {
  const sum = new Float32Array(rows * dim);
  let count = 0;
  const add = ({ values }: Vectors): void => {
    for (let i = 0; i < sum.length; i++) sum[i] += values[i];
    count++;
  };
  const joined = () => {
    for (let i = 0; i < sum.length; i++) sum[i] /= count;
    return narrow(sum);
  };
  return { add, joined };
}

export default defineStage<{ how: "concatenate" | "mean" }>({
  params: "join",
  inputs: { vectors: { artifact: "vectors", many: true } },
  outputs: { vectors: "vectors.arrow" },
  // Reads one table at a time: meanwhile it holds only the joined vectors, and the ids and labels of the first table.
  async run({ params, sources, outputs, note }) {
    const isMean = params.how === "mean";
    const first = imagesOf(sources.vectors[0].path);
    const dim = isMean ? first.dim : sources.vectors.reduce((sum, { path }) => sum + dimOf(path), 0);
    const { add, joined } = (isMean ? meanOf : sideBySide)(first.rows, dim);
    // A function of its own: what an async function no longer needs, it may still hold.
    const take = ({ path, id }: { path: string; id: string }): Record<string, unknown> => {
      const table = readVectors(path);
      checkSame(first, table, id);
      if (isMean && table.dim !== dim)
        throw new UserError(
          `join: ${id} has ${table.dim} values a vector, the first input ${dim}: there is no mean of them. Take how: concatenate.`,
        );
      add(table);
      const { classes: _, ...own } = table.metadata;
      return own;
    };
    const metadata = sources.vectors.map(take);
    note("dim", dim);
    writeVectors(
      outputs.vectors,
      { ...first, vector: joined(), dim },
      { ...first.metadata, classes: first.classes, how: params.how, joined: metadata },
    );
  },
});
