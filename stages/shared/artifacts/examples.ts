/** The input of a network: feature vectors or images, row by row. */
import { numbers, readMetadata, readTable } from "./arrow.ts";
import { readSets } from "./label-sets.ts";
import { readVectors } from "./vectors.ts";

/** Examples with their labels. */
export interface Examples {
  /** `[rows]` */
  ids: Uint32Array;
  labels: Uint16Array;
  /** Where images may have several labels, all of each (see label-sets.ts): `labels` then holds the lowest. */
  sets?: Uint8Array;
  classes: string[];
  rows: number;
  /** Of one example: `[dim]`, or `[height, width, channels]`. */
  shape: number[];
  metadata: Record<string, unknown>;
  /** The chosen rows' values `[count, ...shape]`. */
  take(rows: ArrayLike<number>): Float32Array;
}

/** Copies rows of `width` values. @param convert applied to each */
function taker(values: ArrayLike<number>, width: number, convert: (value: number) => number) {
  return (rows: ArrayLike<number>): Float32Array => {
    const out = new Float32Array(rows.length * width);
    for (let i = 0; i < rows.length; i++)
      for (let at = rows[i] * width, to = i * width; to < (i + 1) * width; at++, to++)
        out[to] = convert(values[at]);
    return out;
  };
}

/**
 * Reads a table of vectors as it is, or of images with bytes scaled to [-1, 1].
 * @throws UserError as the readers of vectors.ts and arrow.ts do
 */
export function readExamples(path: string, kind: "features" | "images"): Examples {
  if (kind === "features") {
    const { dim, values, ...about } = readVectors(path);
    return { ...about, shape: [dim], take: taker(values, dim, (value) => value) };
  }
  const table = readTable(path, "images");
  const metadata = readMetadata(table);
  const { height, width, channels } = metadata as { height: number; width: number; channels: number };
  const size = height * width * channels;
  const pixels = new Uint8Array(table.numRows * size);
  let at = 0;
  for (const { values, offset, length } of table.getChild("pixels")!.data) {
    pixels.set((values as Uint8Array).subarray(offset * size, (offset + length) * size), at);
    at += length * size;
  }
  const ids = numbers<Uint32Array>(table, "id");
  const labels = numbers<Uint16Array>(table, "label");
  const classes = metadata.classes as string[];
  const sets = readSets(table, { ids, labels, classes: classes.length }, path);
  return {
    ids,
    labels,
    ...(sets && { sets }),
    classes,
    rows: table.numRows,
    shape: [height, width, channels],
    metadata,
    take: taker(pixels, size, (byte) => byte / 127.5 - 1),
  };
}
