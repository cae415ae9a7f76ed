/** Tables of small images for tests. */
import { Uint16, Uint32, Utf8 } from "apache-arrow";
import type { Role } from "../../../../stages/download/dataset.ts";
import { bytesColumn, createTable } from "../../../../stages/shared/artifacts/arrow.ts";
import { packSets, setBytes } from "../../../../stages/shared/artifacts/label-sets.ts";
import type { Fit } from "../../../../stages/shared/download/decode.ts";

export interface TestImage {
  id: number;
  split: Role;
  label: number;
  /** Of images with several labels: all, of every image. */
  labels?: number[];
  /** HWC */
  pixels: ArrayLike<number>;
}

/** Writes a table of images of `height` x `width` x `channels`, `batch` rows a record batch. */
export function writeImages(
  path: string,
  images: TestImage[],
  {
    height = 1,
    width = 1,
    channels = 1,
    classes = [] as string[],
    dataset = "test",
    names = undefined as string[] | undefined,
    fit = undefined as Fit | undefined,
    batch = Number.POSITIVE_INFINITY,
  },
): string {
  const size = height * width * channels;
  const several = images.some(({ labels }) => labels);
  const table = createTable(
    path,
    "images",
    {
      id: new Uint32(),
      split: new Utf8(),
      label: new Uint16(),
      ...(several && { labels: bytesColumn(setBytes(classes.length)) }),
      pixels: bytesColumn(size),
    },
    { dataset, classes, height, width, channels, ...(names && { names }), ...(fit && { fit }) },
  );
  for (let first = 0; first < images.length; first += batch) {
    const rows = images.slice(first, first + batch);
    table.write(rows.length, {
      id: Uint32Array.from(rows, ({ id }) => id),
      split: rows.map(({ split }) => split),
      label: Uint16Array.from(rows, ({ label }) => label),
      ...(several && {
        labels: packSets(
          rows.map(({ labels }) => labels!),
          classes.length,
        ),
      }),
      pixels: Uint8Array.from(rows.flatMap(({ pixels }) => Array.from(pixels))),
    });
  }
  table.close();
  return path;
}
