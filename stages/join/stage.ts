/**
 * join: several vectors of the same images as one: side by side, or their mean, which is as short as one of them. So
 * several scales, crops or backbones become one representation.
 */
import { defineStage, UserError } from "../../runner/stage.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { setBytes } from "../shared/artifacts/label-sets.ts";
import { readVectors, type Vectors, writeVectors } from "../shared/artifacts/vectors.ts";

/** @throws UserError when the tables do not hold the same images in the same order */
function checkSame(first: Vectors, other: Vectors, path: string): void {
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

/** `[rows, sum of the dims]` */
function concatenated(tables: Vectors[], rows: number, dim: number): Float32Array {
  const joined = new Float32Array(rows * dim);
  let column = 0;
  for (const { values, dim: own } of tables) {
    for (let row = 0; row < rows; row++)
      joined.set(values.subarray(row * own, (row + 1) * own), row * dim + column);
    column += own;
  }
  return joined;
}

/** `[rows, dim]` */
function mean(tables: Vectors[]): Float32Array {
  const sum = new Float32Array(tables[0].values.length);
  for (const { values } of tables) for (let i = 0; i < sum.length; i++) sum[i] += values[i];
  for (let i = 0; i < sum.length; i++) sum[i] /= tables.length;
  return sum;
}

export default defineStage<{ how: "concatenate" | "mean" }>({
  params: "join",
  inputs: { vectors: { artifact: "vectors", many: true } },
  outputs: { vectors: "vectors.arrow" },
  async run({ params, sources, outputs, note }) {
    const tables = sources.vectors.map(({ path }) => readVectors(path));
    const [first] = tables;
    const { rows } = first;
    for (const [index, table] of tables.entries()) {
      const { id } = sources.vectors[index];
      checkSame(first, table, id);
      if (params.how === "mean" && table.dim !== first.dim)
        throw new UserError(
          `join: ${id} has ${table.dim} values a vector, the first input ${first.dim}: there is no mean of them. Take how: concatenate.`,
        );
    }
    const dim = params.how === "mean" ? first.dim : tables.reduce((sum, table) => sum + table.dim, 0);
    const vector = params.how === "mean" ? mean(tables) : concatenated(tables, rows, dim);
    note("dim", dim);
    const { classes, metadata } = first;
    writeVectors(
      outputs.vectors,
      { ...first, vector: narrow(vector), dim },
      {
        ...metadata,
        classes,
        how: params.how,
        joined: tables.map(({ metadata: { classes: _, ...own } }) => own),
      },
    );
  },
});
