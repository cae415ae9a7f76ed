/** A small table of codes: the signs of blobs. */
import { packSigns, writeCodes } from "../../../stages/shared/artifacts/codes.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { type Blobs, writeBlobs } from "../vectors.ts";

/** Writes the codes of blobs (see {@link writeBlobs}), one bit a dimension, less the mean of each. */
export function writeBlobCodes(path: string, blobs: Blobs): void {
  writeBlobs(path, blobs);
  const { ids, labels, values, rows, dim, classes } = readVectors(path);
  const centred = values.map((value, i) => {
    let sum = 0;
    for (let at = i % dim; at < values.length; at += dim) sum += values[at];
    return value - sum / rows;
  });
  writeCodes(path, { ids, labels, values: packSigns(centred, dim), rows, bits: dim, classes });
}
