/** Small tables of vectors for tests: classes that lie apart as far as wanted. */
import { writeSplit } from "../../stages/shared/artifacts/split.ts";
import { writeVectors } from "../../stages/shared/artifacts/vectors.ts";
import { random } from "../../stages/shared/compute/random.ts";

export interface Blobs {
  classes: number;
  perClass: number;
  dim: number;
  /** Standard deviation inside a class. */
  noise: number;
  /** Standard deviation of the classes' centres. Default 1. */
  spread?: number;
}

/** Writes normal blobs, class after class. */
export function writeBlobs(path: string, { classes, perClass, dim, noise, spread = 1 }: Blobs): void {
  const draw = random(7, "blobs");
  const rows = classes * perClass;
  const values = new Float32Array(rows * dim);
  const label = new Uint16Array(rows);
  for (let c = 0; c < classes; c++) {
    const centre = Array.from({ length: dim }, () => 1 + spread * draw.normal());
    for (let i = 0; i < perClass; i++) {
      const row = c * perClass + i;
      label[row] = c;
      for (let d = 0; d < dim; d++) values[row * dim + d] = centre[d] + noise * draw.normal();
    }
  }
  const names = Array.from({ length: classes }, (_, c) => `class-${c}`);
  writeVectors(
    path,
    { ids: Uint32Array.from(label, (_, row) => 100 + row), labels: label, vector: values, dim },
    { classes: names },
  );
}

/** Of each class the first half trains, then a quarter validates, the rest queries. */
export function writeBlobSplit(path: string, { classes, perClass }: Blobs): void {
  const rows = classes * perClass;
  const flags = (test: (share: number) => boolean) =>
    Uint8Array.from({ length: rows }, (_, row) => (test((row % perClass) / perClass) ? 1 : 0));
  writeSplit(path, {
    ids: Uint32Array.from({ length: rows }, (_, row) => 100 + row),
    labels: Uint16Array.from({ length: rows }, (_, row) => Math.floor(row / perClass)),
    train: flags((share) => share < 0.5),
    validation: flags((share) => share >= 0.5 && share < 0.75),
    query: flags((share) => share >= 0.75),
    database: flags((share) => share < 0.75),
    protocol: "official",
    seed: 1,
  });
}
