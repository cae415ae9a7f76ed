/**
 * Images that are the same, or nearly: a query that also appears in the training set or the database is retrieved
 * trivially. Barz & Denzler (2020, "Do we train on test data?") found 3.25 % of CIFAR-10's test images to have a near
 * duplicate among its training images.
 *
 * The same are images with equal pixels. Nearly the same are images whose difference hashes (Krawetz 2013: which of
 * two neighbours of a 9 x 8 grey image is brighter, 64 bits) differ in few bits, and whose grey images of 16 x 16,
 * freed of brightness and contrast, correlate. The hashes are searched by their bytes (multi-index hashing: Norouzi,
 * Punjani & Fleet 2012): of two that differ in fewer than 8 bits, one of the 8 bytes at least is equal.
 */
import { createHash } from "node:crypto";
import { CELLS, differenceHash, greyOf, HASH_BYTES, outline } from "../shared/likeness.ts";

/** Bits in which the hashes of near duplicates may differ; below 8, so that no pair is missed. */
export const MOST_BITS = 7;
/** Correlation from which two grey images are nearly the same. */
export const LEAST_CORRELATION = 0.95;

/** The features that images are compared by. */
export interface Fingerprints {
  /** sha256 of the pixels, `[images]` */
  exact: string[];
  /** Difference hashes, `[images, 8]` bytes */
  hashes: Uint8Array;
  /** Grey images without mean and of length 1, `[images, 256]`; all zeros for an image that shows nothing */
  grey: Float32Array;
}

/**
 * Takes the fingerprints of images.
 * @param images how many there are
 * @param pieces their pixels in order, `[count, height, width, channels]` bytes each
 */
export async function fingerprints(
  images: number,
  { height, width, channels }: { height: number; width: number; channels: number },
  pieces: AsyncIterable<{ count: number; pixels: Uint8Array }>,
): Promise<Fingerprints> {
  const found: Fingerprints = {
    exact: [],
    hashes: new Uint8Array(images * HASH_BYTES),
    grey: new Float32Array(images * CELLS),
  };
  const size = height * width * channels;
  const grey = new Float32Array(height * width);
  let image = 0;
  for await (const { count, pixels } of pieces)
    for (let i = 0; i < count; i++, image++) {
      const own = pixels.subarray(i * size, (i + 1) * size);
      found.exact.push(createHash("sha256").update(own).digest("base64"));
      greyOf(own, channels, grey);
      found.hashes.set(differenceHash(grey, height, width), image * HASH_BYTES);
      const small = outline(grey, height, width);
      if (small) found.grey.set(small, image * CELLS);
    }
  return found;
}

/** A query, and the first image it is a duplicate of. */
export interface Duplicate {
  /** Rows of the table of images. */
  query: number;
  other: number;
  kind: "exact" | "near";
  /** Of the grey images, 1 for the same pixels. */
  correlation: number;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

/**
 * The queries that have a duplicate among other images: with the same pixels, else the one that correlates most
 * where nearly the same.
 * @param queries rows
 * @param others rows
 */
export function findDuplicates(prints: Fingerprints, queries: number[], others: number[]): Duplicate[] {
  const { exact, hashes, grey } = prints;
  const byPixels = new Map<string, number>();
  for (const row of others) if (!byPixels.has(exact[row])) byPixels.set(exact[row], row);
  const shows = (row: number) => {
    for (let cell = 0; cell < CELLS; cell++) if (grey[row * CELLS + cell] !== 0) return true;
    return false;
  };
  const buckets = Array.from({ length: HASH_BYTES * 256 }, (): number[] => []);
  for (const row of others)
    if (shows(row))
      for (let at = 0; at < HASH_BYTES; at++) buckets[at * 256 + hashes[row * HASH_BYTES + at]].push(row);
  const apart = (a: number, b: number) => {
    let bits = 0;
    for (let at = 0; at < HASH_BYTES; at++)
      bits += ONES[hashes[a * HASH_BYTES + at] ^ hashes[b * HASH_BYTES + at]];
    return bits;
  };
  const correlation = (a: number, b: number) => {
    let sum = 0;
    for (let cell = 0; cell < CELLS; cell++) sum += grey[a * CELLS + cell] * grey[b * CELLS + cell];
    return sum;
  };
  return queries.flatMap((query): Duplicate[] => {
    const same = byPixels.get(exact[query]);
    if (same !== undefined) return [{ query, other: same, kind: "exact", correlation: 1 }];
    if (!shows(query)) return [];
    let best = { other: -1, correlation: LEAST_CORRELATION };
    for (let at = 0; at < HASH_BYTES; at++)
      for (const other of buckets[at * 256 + hashes[query * HASH_BYTES + at]]) {
        if (apart(query, other) > MOST_BITS) continue;
        const found = correlation(query, other);
        if (found > best.correlation) best = { other, correlation: found };
      }
    return best.other < 0 ? [] : [{ query, kind: "near", ...best }];
  });
}
