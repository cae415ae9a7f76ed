/** extract: every image through a pretrained network; its features as float16 in record batches as they come. */
import { dirname } from "node:path";
import { Uint16, Uint32 } from "apache-arrow";
import { defineStage, UserError } from "../../runner/stage.ts";
import type { Backbone } from "../shared/backbone.ts";
import { readImageList, readPixels } from "../shared/images.ts";
import { createTable, narrow, type TableWriter, vectorColumns } from "../shared/tables.ts";
import { chooseDevice, type Device } from "./device.ts";
import { openNetwork } from "./network.ts";
import { Resizer } from "./resize.ts";

interface Params {
  size?: number;
  device: Device | "auto";
  batch: number;
  flip: boolean;
}

/** The largest number that float16 holds. */
const LARGEST_HALF = 65_504;

export default defineStage<Params>({
  params: "extract",
  parts: { backbone: "../shared/backbones" },
  inputs: { images: "images", model: "backbone" },
  outputs: { features: "features.arrow" },
  cpus: "all",
  async run({ params, parts, inputs, outputs, cpus, progress, log, warn, note, signal }) {
    const { name } = parts.backbone;
    const backbone = parts.backbone.part as Backbone;
    const size = params.size ?? backbone.size;
    if (size % backbone.multipleOf !== 0)
      throw new UserError(
        `extract: size ${size} does not fit ${name}: it takes multiples of ${backbone.multipleOf}.`,
      );
    const { ids, labels, classes, dataset, height, width, channels } = await readImageList(inputs.images);
    const { device, reason, fallback } = chooseDevice(params.device, inputs.model);
    (fallback ? warn : log)(`device ${device} (${reason})`);
    note("device", device);
    note("device_reason", reason);
    const folder = dirname(outputs.features);
    const network = await openNetwork(inputs.model, name, backbone.features, device, cpus, folder);
    note("feature_tensor", network.tensor);

    const batch = Math.min(params.batch, backbone.batch ?? params.batch);
    // Two sets of buffers: one is filled while the network reads the other.
    const views = params.flip ? [false, true] : [false];
    const resizer = new Resizer({ height, width, channels }, size, backbone, batch, 2 * views.length);

    let table: TableWriter | undefined;
    let done = 0;
    const write = (features: Float32Array, count: number) => {
      const dim = features.length / count;
      table ??= createTable(
        outputs.features,
        "vectors",
        vectorColumns(dim, "float16", new Uint16(), new Uint32()),
        { classes, dataset, backbone: name, size, flip: params.flip },
      );
      for (let i = 0; i < features.length; i++)
        if (!(Math.abs(features[i]) <= LARGEST_HALF))
          throw new UserError(
            `extract: image ${ids[done + Math.floor(i / dim)]} has the feature ${features[i]}, which is not finite or too large. Is ${name} the right network for this file?`,
          );
      table.write(count, {
        id: ids.subarray(done, done + count),
        label: labels.subarray(done, done + count),
        vector: narrow(features),
      });
      done += count;
      progress(done, ids.length, "images");
    };
    const infer = async ([straight, mirrored]: Float32Array[], count: number): Promise<Float32Array> => {
      const features = await network.infer(straight, count, size);
      if (!mirrored) return features;
      const others = await network.infer(mirrored, count, size);
      return features.map((value, i) => (value + others[i]) / 2);
    };

    const began = performance.now();
    let pending: { features: Promise<Float32Array>; count: number } | undefined;
    const settle = async () => {
      if (pending) write(await pending.features, pending.count);
    };
    let turn = 0;
    try {
      for await (const { count, pixels } of readPixels(inputs.images, batch)) {
        signal.throwIfAborted();
        const first = (turn++ % 2) * views.length;
        const set = views.map((mirrored, index) => resizer.fill(first + index, pixels, count, mirrored));
        await settle();
        pending = { features: infer(set, count), count };
        pending.features.catch(() => {}); // settle() tells of it
      }
      await settle();
    } finally {
      await pending?.features.catch(() => {}); // a network at work must not be closed
      table?.close();
      await network.close();
    }
    note("images_per_second", Math.round((done * 1000) / (performance.now() - began)));
  },
});
