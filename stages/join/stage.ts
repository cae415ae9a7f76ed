/** join: vectors of the same images, side by side: several scales or backbones as one representation. */
import { Uint16, Uint32 } from "apache-arrow";
import { defineStage, UserError } from "../../runner/stage.ts";
import { narrow, readVectors, type Vectors, vectorColumns, writeTable } from "../shared/tables.ts";

/** @throws UserError when the tables do not hold the same images in the same order */
function checkSame(first: Vectors, other: Vectors, path: string): void {
  if (other.rows !== first.rows)
    throw new UserError(
      `join: ${path} has ${other.rows} images, the first input ${first.rows}. Join vectors of the same images.`,
    );
  for (let row = 0; row < first.rows; row++)
    if (other.ids[row] !== first.ids[row] || other.labels[row] !== first.labels[row])
      throw new UserError(
        `join: row ${row} of ${path} is image ${other.ids[row]} (label ${other.labels[row]}), that of the first input ${first.ids[row]} (label ${first.labels[row]}). Join vectors of the same images.`,
      );
}

export default defineStage<Record<string, never>>({
  params: "join",
  inputs: { vectors: { artifact: "vectors", many: true } },
  outputs: { vectors: "vectors.arrow" },
  async run({ sources, outputs, note }) {
    const tables = sources.vectors.map(({ path }) => readVectors(path));
    const [first] = tables;
    for (const [index, table] of tables.entries()) checkSame(first, table, sources.vectors[index].id);
    const dim = tables.reduce((sum, table) => sum + table.dim, 0);
    const vector = new Float32Array(first.rows * dim);
    let column = 0;
    for (const table of tables) {
      for (let row = 0; row < first.rows; row++)
        vector.set(table.values.subarray(row * table.dim, (row + 1) * table.dim), row * dim + column);
      column += table.dim;
    }
    note("dim", dim);
    const { classes, metadata } = first;
    writeTable(
      outputs.vectors,
      "vectors",
      vectorColumns(dim, "float16", new Uint16(), new Uint32()),
      first.rows,
      { id: first.ids, label: first.labels, vector: narrow(vector) },
      { ...metadata, classes, joined: tables.map(({ metadata: { classes: _, ...own } }) => own) },
    );
  },
});
