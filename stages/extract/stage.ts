/** extract: every image through a pretrained network; its features as float16 in record batches as they come. */
import { dirname } from "node:path";
import { defineStage, UserError } from "../../runner/stage.ts";
import type { TableWriter } from "../shared/artifacts/arrow.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { type ImageList, readImageList } from "../shared/artifacts/images.ts";
import { setBytes } from "../shared/artifacts/label-sets.ts";
import { readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { createVectors } from "../shared/artifacts/vectors.ts";
import { augmentationsOf } from "../shared/augmentation.ts";
import { type Backbone, backboneOf } from "../shared/backbone.ts";
import { FEW, firstImages, openOnDevice } from "../shared/inference/open.ts";
import type { Device } from "../shared/inference/session.ts";
import { Resizer } from "../shared/pixels/resize.ts";
import { recorded } from "../shared/runs/recipe.ts";
import { type Batch, FeatureCheck } from "./feature-check.ts";
import { checkWanted, readUnits, rowsWritten } from "./units.ts";

interface Params {
  size?: number;
  device: Device | "auto";
  batch: number;
  flip: boolean;
  views?: number;
  seed: number;
  layer?: string;
}

/** 1 for each image that trains. @throws UserError where the split has images that are not there */
function trainingImages(split: string, ids: Uint32Array, images: string): Uint8Array {
  const chosen = new Uint8Array(ids.length);
  for (const row of rowsOf(readSplit(split), "train", ids, images)) chosen[row] = 1;
  return chosen;
}

/** Writes features as they come, checked. */
class FeatureWriter {
  private readonly path: string;
  private readonly list: Pick<ImageList, "ids" | "labels" | "sets">;
  private readonly metadata: () => { classes: string[]; [name: string]: unknown };
  private readonly check: FeatureCheck;
  private table?: TableWriter;
  done = 0;

  constructor(
    path: string,
    list: Pick<ImageList, "ids" | "labels" | "sets">,
    metadata: () => { classes: string[]; [name: string]: unknown },
    check: FeatureCheck,
  ) {
    this.path = path;
    this.list = list;
    this.metadata = metadata;
    this.check = check;
  }

  /** @throws UserError when no working network gives these features */
  write(batch: Batch): void {
    const { count, features } = batch;
    const { ids, labels, sets } = this.list;
    const bytes = setBytes(this.metadata().classes.length);
    this.check.add(batch);
    this.table ??= createVectors(
      this.path,
      features.length / count,
      "float16",
      this.metadata(),
      sets !== undefined,
    );
    this.table.write(count, {
      id: ids.subarray(this.done, this.done + count),
      label: labels.subarray(this.done, this.done + count),
      ...(sets && { labels: sets.subarray(this.done * bytes, (this.done + count) * bytes) }),
      vector: narrow(features),
    });
    this.done += count;
  }

  close(): void {
    this.table?.close();
  }
}

/** The backbone whose features are the values of a layer, where one is named. @throws UserError for views of it */
function layerOf(backbone: Backbone & { name: string }, { layer, flip }: Params): typeof backbone {
  if (layer === undefined) return backbone;
  if (flip)
    throw new UserError(
      `extract: the layer "${layer}" of an image and of its mirror image have no mean: leave out "flip", or "layer".`,
    );
  return { ...backbone, features: layer, pooling: undefined };
}

export default defineStage<Params>({
  params: "extract",
  parts: { backbone: "../shared/backbones", augment: "../shared/augmentations" }, // the latter is a list
  inputs: {
    images: "images",
    model: "backbone",
    split: { artifact: "split", optional: true }, // its training images alone
  },
  outputs: { features: "features.arrow" },
  cpus: "all",
  async run(context) {
    const { params, parts, inputs, outputs, progress, note, signal } = context;
    const backbone = layerOf(backboneOf(parts.backbone), params);
    const { name } = backbone;
    const size = params.size ?? backbone.size;
    if (size % backbone.multipleOf !== 0)
      throw new UserError(
        `extract: size ${size} does not fit ${name}: it takes multiples of ${backbone.multipleOf}.`,
      );
    const { flip, views, seed } = params;
    const wanted = { flip, views, seed, augment: augmentationsOf(parts) };
    checkWanted(wanted);
    const list = await readImageList(inputs.images);
    const chosen = inputs.split ? trainingImages(inputs.split, list.ids, inputs.images) : undefined;
    const batch = Math.min(params.batch, backbone.batch ?? params.batch);
    // Two sets of buffers: one is filled while the network reads the other.
    const resizer = new Resizer(list, size, backbone, batch, flip ? 4 : 2);
    const few = await firstImages(inputs.images, Math.min(FEW, batch), resizer, size);
    const source = { ...backbone, path: inputs.model, folder: dirname(outputs.features) };
    const { network, device } = await openOnDevice(context, source, params.device, few, batch);

    const metadata = {
      classes: list.classes,
      dataset: list.dataset,
      backbone: name,
      size,
      flip,
      ...(views && { views, augment: wanted.augment.map(recorded), seed }),
    };
    const rows = rowsWritten(list, batch, chosen, views);
    const { layer } = params;
    // A layer's values keep their shape beside them: what trains from there needs it.
    const about = () => (layer === undefined ? metadata : { ...metadata, layer, shape: network.shape });
    const check = new FeatureCheck(name, device, rows.ids);
    const writer = new FeatureWriter(outputs.features, rows, about, check);
    const infer = async ([straight, mirrored]: Float32Array[], count: number): Promise<Float32Array> => {
      const features = await network.infer(straight, count, size);
      if (!mirrored) return features;
      const others = await network.infer(mirrored, count, size);
      return features.map((value, i) => (value + others[i]) / 2);
    };

    const began = performance.now();
    let pending: { features: Promise<Float32Array>; count: number; pixels: Uint8Array } | undefined;
    const settle = async () => {
      if (!pending) return;
      writer.write({ ...pending, features: await pending.features });
      progress(writer.done, rows.ids.length, views ? "views" : "images");
    };
    try {
      for await (const { count, pixels, inputs: set } of readUnits(
        inputs.images,
        batch,
        resizer,
        list,
        chosen,
        wanted,
      )) {
        signal.throwIfAborted();
        await settle();
        pending = { features: infer(set, count), count, pixels };
        pending.features.catch(() => {}); // settle() tells of it
      }
      await settle();
    } finally {
      await pending?.features.catch(() => {}); // a network at work must not be closed
      writer.close();
      await network.close();
    }
    note("images_per_second", Math.round((writer.done * 1000) / (performance.now() - began)));
  },
});
