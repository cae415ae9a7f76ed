/** The images of one table after those of another, as of shards. */
import { UserError } from "../../runner/stage.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { setsOf } from "../shared/artifacts/label-sets.ts";
import { createVectors } from "../shared/artifacts/vectors.ts";
import { distinctIds, sameClasses } from "../shared/shards.ts";
import { anySets, type Join, ROWS } from "./tables.ts";

/** Writes the tables one after the other; as float16 where all of them are. */
export const append: Join = async (tables, path, metadata, told) => {
  const [{ dim, classes }, ...others] = tables;
  for (const other of others) {
    if (other.dim !== dim)
      throw new UserError(
        `join: ${other.id} has ${other.dim} values a vector, the first input ${dim}. Append vectors of one length.`,
      );
    sameClasses("join", classes, other.classes, other.id);
  }
  const sets = anySets(tables);
  const half = tables.every(({ precision }) => precision === "float16");
  const table = createVectors(path, dim, half ? "float16" : "float32", metadata, sets);
  const checkIds = distinctIds("join");
  let done = 0;
  try {
    for (const { id: name, take } of tables)
      for (let rows = await take(ROWS); rows.rows > 0; rows = await take(ROWS)) {
        const { ids: id, labels: label, values } = rows;
        checkIds(id, name);
        const labels = sets && { labels: setsOf(rows, classes.length) };
        table.write(rows.rows, { id, label, ...labels, vector: half ? narrow(values) : values });
        done += rows.rows;
        told(done);
      }
  } finally {
    table.close();
  }
  return dim;
};
