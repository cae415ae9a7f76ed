/** Small tables for tests, of images with several labels each. */
import { packSets } from "../../stages/shared/artifacts/label-sets.ts";
import { writeSplit } from "../../stages/shared/artifacts/split.ts";
import { writeVectors } from "../../stages/shared/artifacts/vectors.ts";
import { random } from "../../stages/shared/compute/random.ts";

export interface Several {
  images: number;
  dim: number;
  /** Of the vectors, beside the sum of their labels' centres. */
  noise: number;
  /** The labels of each image, ascending. */
  lists: number[][];
  classes: string[];
}

/** Images with one or two of five labels. */
export function severalImages(images: number, { dim = 8, noise = 0.3 } = {}): Several {
  const draw = random(5, "labels");
  const lists = Array.from({ length: images }, () => {
    const count = 1 + draw.int(2);
    return [...draw.shuffle([0, 1, 2, 3, 4]).slice(0, count)].sort((a, b) => a - b);
  });
  return { images, dim, noise, lists, classes: ["a", "b", "c", "d", "e"] };
}

/** The columns of such images, with ids from 100. */
export const columnsOf = ({ lists, classes }: Pick<Several, "lists" | "classes">) => ({
  ids: Uint32Array.from(lists, (_, row) => 100 + row),
  labels: Uint16Array.from(lists, ([lowest]) => lowest),
  sets: packSets(lists, classes.length),
});

/** Writes vectors that tell the labels: each is the sum of its labels' centres. */
export function writeSeveral(path: string, several: Several): void {
  const { images, dim, noise, lists, classes } = several;
  const draw = random(9, "several");
  const centres = classes.map(() => Array.from({ length: dim }, () => draw.normal()));
  const vector = new Float32Array(images * dim);
  for (const [row, labels] of lists.entries())
    for (let d = 0; d < dim; d++)
      vector[row * dim + d] =
        labels.reduce((sum, label) => sum + centres[label][d], 0) + noise * draw.normal();
  writeVectors(path, { ...columnsOf(several), vector, dim }, { classes });
}

/** The first half trains, then a quarter validates, the rest queries; those that train or validate are searched. */
export function writeSeveralSplit(path: string, several: Several): void {
  const { images, classes } = several;
  const flags = (from: number, to: number) =>
    Uint8Array.from({ length: images }, (_, row) => Number(row / images >= from && row / images < to));
  writeSplit(
    path,
    {
      ...columnsOf(several),
      train: flags(0, 0.5),
      validation: flags(0.5, 0.75),
      query: flags(0.75, 1),
      database: flags(0, 0.75),
      protocol: "lists",
      seed: 1,
    },
    { classes },
  );
}
