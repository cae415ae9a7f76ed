/** Tables of vectors read some rows at a time: they may be larger than the memory. */
import { type FixedSizeList, type Float, Precision, type RecordBatch } from "apache-arrow";
import { openTable, readMetadata } from "./arrow.ts";
import { readSetColumn, setBytes } from "./label-sets.ts";
import { checkRows, takeValues, type Vectors } from "./vectors.ts";

/** Some rows of a table. `sets` are there where the table has their column, also where each image has one label. */
export type VectorRows = Pick<Vectors, "ids" | "labels" | "sets" | "values" | "rows">;

/** A table of vectors that is open. */
export interface VectorTable extends Pick<Vectors, "dim" | "classes" | "metadata"> {
  precision: "float16" | "float32";
  /** Whether it has a column of sets of labels. */
  hasSets: boolean;
  /** The next rows, so many; fewer where it has no more. */
  take(count: number): Promise<VectorRows>;
  close(): Promise<void>;
}

/** The columns of one batch. */
function columnsOf(batch: RecordBatch, dim: number, classes: number, path: string) {
  const ids = batch.getChild("id")!.toArray() as Uint32Array;
  const labels = batch.getChild("label")!.toArray() as Uint16Array;
  const [{ offset, length, children }] = batch.getChild("vector")!.data;
  const values = children[0].values.subarray(offset * dim, (offset + length) * dim);
  const sets = readSetColumn(batch, { ids, labels, classes }, path);
  return { ids, labels, sets, values: values as Float32Array | Uint16Array, rows: batch.numRows };
}

/**
 * Opens a table of vectors. Close it.
 * @throws UserError as `readVectors` does, also while its rows are taken
 */
export async function openVectors(path: string): Promise<VectorTable> {
  const { schema, batches, close } = await openTable(path, "vectors");
  const { listSize: dim, children } = schema.fields.find(({ name }) => name === "vector")!
    .type as FixedSizeList;
  const precision = (children[0].type as Float).precision === Precision.HALF ? "float16" : "float32";
  const metadata = readMetadata({ schema });
  const classes = metadata.classes as string[];
  const hasSets = schema.fields.some(({ name }) => name === "labels");
  const bytes = hasSets ? setBytes(classes.length) : 0;
  let batch: ReturnType<typeof columnsOf> | undefined;
  let at = 0;

  /** Goes on to the next batch once this one is taken. @returns whether there are rows */
  const advance = async (): Promise<boolean> => {
    while (!batch || at === batch.rows) {
      batch = undefined; // not held beside the next, nor after the last
      const { done, value } = await batches.next();
      if (done) return false;
      batch = columnsOf(value, dim, classes.length, path);
      at = 0;
    }
    return true;
  };

  const take = async (count: number): Promise<VectorRows> => {
    const ids = new Uint32Array(count);
    const labels = new Uint16Array(count);
    const values = new Float32Array(count * dim);
    const sets = new Uint8Array(count * bytes);
    let finite = true;
    let rows = 0;
    while (rows < count && (await advance())) {
      const own = batch!;
      const end = Math.min(own.rows, at + count - rows);
      ids.set(own.ids.subarray(at, end), rows);
      labels.set(own.labels.subarray(at, end), rows);
      if (own.sets) sets.set(own.sets.subarray(at * bytes, end * bytes), rows * bytes);
      const to = values.subarray(rows * dim, (rows + end - at) * dim);
      finite = takeValues(own.values.subarray(at * dim, end * dim), to) && finite;
      rows += end - at;
      at = end;
    }
    const taken = {
      ids: ids.subarray(0, rows),
      labels: labels.subarray(0, rows),
      values: values.subarray(0, rows * dim),
      rows,
    };
    checkRows({ ...taken, dim, finite }, classes.length, path);
    return { ...taken, ...(hasSets && { sets: sets.subarray(0, rows * bytes) }) };
  };
  return { dim, classes, metadata, precision, hasSets, take, close };
}
