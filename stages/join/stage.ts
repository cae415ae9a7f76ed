/**
 * join: several vectors of the same images as one: side by side, or their mean, which is as short as one of them. So
 * several scales, crops or backbones become one representation.
 */
import { defineStage, UserError } from "../../runner/stage.ts";
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

/** Vectors side by side, `[rows, sum of the dims]`, which the tables fill one after the other. */
function sideBySide(rows: number, dim: number) {
  const vector = new Float32Array(rows * dim);
  let column = 0;
  const add = ({ values, dim: own }: Vectors): void => {
    for (let row = 0; row < rows; row++)
      vector.set(values.subarray(row * own, (row + 1) * own), row * dim + column);
    column += own;
  };
  return { add, joined: () => vector };
}

/** The mean of vectors, `[rows, dim]`. */
function meanOf(rows: number, dim: number) {
  const sum = new Float32Array(rows * dim);
  let count = 0;
  const add = ({ values }: Vectors): void => {
    for (let i = 0; i < sum.length; i++) sum[i] += values[i];
    count++;
  };
  const joined = () => {
    for (let i = 0; i < sum.length; i++) sum[i] /= count;
    return sum;
  };
  return { add, joined };
}

export default defineStage<{ how: "concatenate" | "mean" }>({
  params: "join",
  inputs: { vectors: { artifact: "vectors", many: true } },
  outputs: { vectors: "vectors.arrow" },
  // Reads one table at a time: only the joined vectors and the labels of the first table are held meanwhile.
  async run({ params, sources, outputs, note }) {
    const isMean = params.how === "mean";
    const { values: _, ...first } = readVectors(sources.vectors[0].path);
    const { rows } = first;
    const dim = isMean
      ? first.dim
      : sources.vectors.reduce((sum, { path }) => sum + readVectors(path).dim, 0);
    const { add, joined } = (isMean ? meanOf : sideBySide)(rows, dim);
    const metadata: Record<string, unknown>[] = [];
    for (const { path, id } of sources.vectors) {
      const table = readVectors(path);
      checkSame(first, table, id);
      if (isMean && table.dim !== dim)
        throw new UserError(
          `join: ${id} has ${table.dim} values a vector, the first input ${dim}: there is no mean of them. Take how: concatenate.`,
        );
      add(table);
      const { classes: _, ...own } = table.metadata;
      metadata.push(own);
    }
    note("dim", dim);
    writeVectors(
      outputs.vectors,
      { ...first, vector: narrow(joined()), dim },
      { ...first.metadata, classes: first.classes, how: params.how, joined: metadata },
    );
  },
});
