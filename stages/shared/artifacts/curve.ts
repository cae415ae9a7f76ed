/** The artifact `curve`: precision and recall of codes by radius, of everything within it. */
import { Float32, Float64, Uint16 } from "apache-arrow";
import { numbers, readMetadata, readTable, writeTable } from "./arrow.ts";

/** `[blocks, bits + 1]` each: sums over queries of the items within a radius. */
export interface Radii {
  /** Share of them that is relevant; 0 without items. */
  precision: Float64Array;
  /** Share of the relevant items; 0 when there are none. */
  recall: Float64Array;
  retrieved: Float64Array;
  /** Queries with no item within. */
  empty: Float64Array;
}

/**
 * Writes the artifact `curve`: one row a radius, means over queries.
 * @param queries how many
 * @param metadata beside `bits` and `queries`
 */
export function writeCurve(
  path: string,
  radii: Radii,
  bits: number,
  queries: number,
  metadata: object,
): void {
  const rows = bits + 1;
  const mean = (sums: Float64Array) =>
    Float64Array.from({ length: rows }, (_, radius) => {
      let sum = 0;
      for (let at = radius; at < sums.length; at += rows) sum += sums[at];
      return sum / queries;
    });
  writeTable(
    path,
    "curve",
    {
      radius: new Uint16(),
      precision: new Float32(),
      recall: new Float32(),
      retrieved: new Float64(),
      empty: new Float32(),
    },
    rows,
    {
      radius: Uint16Array.from({ length: rows }, (_, radius) => radius),
      precision: Float32Array.from(mean(radii.precision)),
      recall: Float32Array.from(mean(radii.recall)),
      retrieved: mean(radii.retrieved),
      empty: Float32Array.from(mean(radii.empty)),
    },
    { ...metadata, bits, queries },
  );
}

/** The artifact `curve`, as it is read: one value a radius, from 0. */
export interface Curve {
  protocol: string;
  bits: number;
  precision: Float32Array;
  recall: Float32Array;
}

/** Reads `curve`. @throws UserError when the file is another artifact */
export function readCurve(path: string): Curve {
  const table = readTable(path, "curve");
  const { protocol, bits } = readMetadata(table) as { protocol: string; bits: number };
  return { protocol, bits, precision: numbers(table, "precision"), recall: numbers(table, "recall") };
}
