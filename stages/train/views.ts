/** The random views that a step takes of the training images; validation takes the images themselves. */
import type { FixedSizeList, RecordBatch } from "apache-arrow";
import { type Part, UserError } from "../../runner/stage.ts";
import { readBatches, readMetadata } from "../shared/artifacts/arrow.ts";
import { type Examples, viewer } from "../shared/artifacts/examples.ts";
import { widen } from "../shared/artifacts/half.ts";
import { augmentationsOf, drawViews } from "../shared/augmentation.ts";
import type { Random } from "../shared/compute/random.ts";

/** Takes of augmented images; undefined without an augmentation. @throws UserError for features */
export function augmentedTake(
  { pixels }: Examples,
  parts: Record<string, Part>,
  stream: (name: string) => Random,
): Examples["take"] | undefined {
  const augmentations = augmentationsOf(parts);
  if (augmentations.length === 0) return undefined;
  if (!pixels)
    throw new UserError(
      `train: the augmentation "${augmentations[0].name}" changes images, but the network "${parts.network.name}" takes features. Augment in extract, with its param views.`,
    );
  const draw = drawViews(augmentations, pixels.stored, stream);
  const see = viewer(pixels);
  return (rows) => see(rows, Array.from(rows, draw));
}

/** Views of images as `extract` wrote them. */
export interface StoredViews {
  take: Examples["take"];
  /** How they were made. */
  about: Record<string, unknown>;
}

/**
 * Opens the views of images in the place of their features: each time one of an image's, at random. They stay as they are
 * stored, for there may be many.
 * @param rows of the examples that train
 * @throws UserError where they are no views of these images, or an image has none
 */
export async function openViews(
  path: string,
  { ids, shape, pixels, metadata }: Examples,
  rows: Uint32Array,
  draw: Random,
): Promise<StoredViews> {
  if (pixels)
    throw new UserError(
      "train: the input views has features, but the network takes images. Name augment instead.",
    );
  const dim = shape.reduce((product, length) => product * length, 1);
  const batches: (Uint16Array | Float32Array)[] = [];
  const viewsOf = new Map<number, [batch: number, at: number][]>(Array.from(rows, (row) => [ids[row], []]));
  let about: Record<string, unknown> = {};
  for await (const batch of readBatches(path, "vectors")) {
    if (batches.length === 0) {
      about = readMetadata(batch);
      checkSource(about, metadata, path);
    }
    const values = valuesOf(batch, dim, path);
    for (const [row, id] of (batch.getChild("id")!.toArray() as Uint32Array).entries())
      viewsOf.get(id)?.push([batches.length, row * dim]);
    batches.push(values);
  }
  for (const [id, own] of viewsOf)
    if (own.length === 0)
      throw new UserError(
        `${path}: the training image ${id} has no view. Give extract the same split as train, or none.`,
      );
  const take = (wanted: ArrayLike<number>) => {
    const out = new Float32Array(wanted.length * dim);
    for (let i = 0; i < wanted.length; i++) {
      const own = viewsOf.get(ids[wanted[i]])!;
      const [batch, at] = own[draw.int(own.length)];
      const view = batches[batch].subarray(at, at + dim);
      if (view instanceof Uint16Array) widen(view, out.subarray(i * dim, (i + 1) * dim));
      else out.set(view, i * dim);
    }
    return out;
  };
  const { views, augment } = about;
  return { take, about: { views, augment } };
}

/** Refuses views of another origin than the examples: of another network, layer, size or data set. */
function checkSource(views: Record<string, unknown>, examples: Record<string, unknown>, path: string): void {
  for (const name of ["dataset", "backbone", "layer", "size"]) {
    const [own, other] = [views[name], examples[name]];
    if (own !== undefined && other !== undefined && own !== other)
      throw new UserError(
        `${path}: views of the ${name} ${own}, but the examples are of ${other}. Take both from the same extract params.`,
      );
  }
}

/** The values of a batch of vectors. @throws UserError when they have another length than the features */
function valuesOf(batch: RecordBatch, dim: number, path: string): Uint16Array | Float32Array {
  const column = batch.getChild("vector")!;
  const { listSize } = column.type as FixedSizeList;
  if (listSize !== dim)
    throw new UserError(
      `${path}: views of ${listSize} features, but the examples have ${dim}. Take both from the same backbone.`,
    );
  const [data] = column.data;
  const { values } = data.children[0];
  return (values as Uint16Array | Float32Array).subarray(
    data.offset * listSize,
    (data.offset + data.length) * listSize,
  );
}
