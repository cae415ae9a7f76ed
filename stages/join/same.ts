/** Vectors of the same images: side by side, or their mean. */
import { UserError } from "../../runner/stage.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { setBytes, setsOf } from "../shared/artifacts/label-sets.ts";
import type { VectorRows } from "../shared/artifacts/vector-rows.ts";
import { createVectors } from "../shared/artifacts/vectors.ts";
import { anySets, hasSeveral, type Join, type Opened, ROWS } from "./tables.ts";

/** @throws UserError when rows are not of the same images in the same order. @param start their first row */
function checkSame(first: VectorRows, other: VectorRows, table: Opened, start: number): void {
  const classes = table.classes.length;
  const bytes = setBytes(classes);
  const compared = first.sets || other.sets ? [setsOf(first, classes), setsOf(other, classes)] : undefined;
  for (let row = 0; row < first.rows; row++) {
    if (other.ids[row] !== first.ids[row] || other.labels[row] !== first.labels[row])
      throw new UserError(
        `join: row ${start + row} of ${table.id} is image ${other.ids[row]} (label ${other.labels[row]}), that of the first input ${first.ids[row]} (label ${first.labels[row]}). Join vectors of the same images.`,
      );
    if (hasSeveral(first, row, bytes) !== hasSeveral(other, row, bytes)) {
      const [several, one] = hasSeveral(first, row, bytes)
        ? ["the first input", table.id]
        : [table.id, "the first input"];
      throw new UserError(
        `join: images of ${several} have several labels each, those of ${one} have one. Join vectors of the same images.`,
      );
    }
    for (let at = row * bytes; compared && at < (row + 1) * bytes; at++)
      if (compared[0][at] !== compared[1][at])
        throw new UserError(
          `join: image ${first.ids[row]} has other labels in ${table.id} than in the first input. Join vectors of the same images.`,
        );
  }
}

/** How many rows a table has, so many of which are taken. */
async function rowsIn({ take }: Opened, taken: number): Promise<number> {
  for (let rows = -1; rows !== 0; taken += rows) ({ rows } = await take(ROWS));
  return taken;
}

/** Joins some rows of each table: `[rows, dim]`. @param dims of the tables */
type Combine = (parts: Float32Array[], dims: number[], rows: number) => Float32Array;

const together: Combine = (parts, dims, rows) => {
  const dim = dims.reduce((sum, own) => sum + own);
  const joined = new Float32Array(rows * dim);
  let column = 0;
  for (const [at, own] of dims.entries()) {
    for (let row = 0; row < rows; row++)
      joined.set(parts[at].subarray(row * own, (row + 1) * own), row * dim + column);
    column += own;
  }
  return joined;
};

const averaged: Combine = ([first, ...others]) => {
  const sum = first.slice();
  for (const part of others) for (let i = 0; i < sum.length; i++) sum[i] += part[i];
  for (let i = 0; i < sum.length; i++) sum[i] /= others.length + 1;
  return sum;
};

/** Writes the combination of rows of the same images, as float16. */
async function combined(combine: Combine, dim: number, ...[tables, path, metadata, told]: Parameters<Join>) {
  const [first, ...others] = tables;
  const sets = anySets(tables);
  const table = createVectors(path, dim, "float16", metadata, sets);
  const dims = tables.map((one) => one.dim);
  try {
    for (let done = 0, rows = -1; rows !== 0; done += rows) {
      const own = await first.take(ROWS);
      const parts = [own.values];
      for (const other of others) {
        const part = await other.take(ROWS);
        if (part.rows !== own.rows)
          throw new UserError(
            `join: ${other.id} has ${await rowsIn(other, done + part.rows)} images, the first input ${await rowsIn(first, done + own.rows)}. Join vectors of the same images.`,
          );
        checkSame(own, part, other, done);
        parts.push(part.values);
      }
      rows = own.rows;
      if (rows === 0) break;
      const { ids: id, labels: label } = own;
      const labels = sets && { labels: setsOf(own, first.classes.length) };
      table.write(rows, { id, label, ...labels, vector: narrow(combine(parts, dims, rows)) });
      told(done + rows);
    }
  } finally {
    table.close();
  }
  return dim;
}

/** Vectors side by side, in the order of the tables. */
export const sideBySide: Join = (tables, ...rest) =>
  combined(
    together,
    tables.reduce((sum, { dim }) => sum + dim, 0),
    tables,
    ...rest,
  );

/** The mean of vectors. */
export const mean: Join = async (tables, ...rest) => {
  const [{ dim }, ...others] = tables;
  const other = others.find((table) => table.dim !== dim);
  if (other)
    throw new UserError(
      `join: ${other.id} has ${other.dim} values a vector, the first input ${dim}: there is no mean of them. Take how: concatenate.`,
    );
  return combined(averaged, dim, tables, ...rest);
};
