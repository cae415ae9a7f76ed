/** extract: every image through a pretrained network; its features as float16 in record batches as they come. */
import { readFileSync } from "node:fs";
import { Uint16, Uint32 } from "apache-arrow";
import { Tensor } from "onnxruntime-node";
import { defineStage, UserError } from "../../runner/stage.ts";
import type { Backbone } from "../shared/backbone.ts";
import {
  createTable,
  narrow,
  numbers,
  readMetadata,
  readTable,
  type TableWriter,
  vectorColumns,
} from "../shared/tables.ts";
import { chooseDevice, type Device, openSession } from "./device.ts";
import { featureTensor, readGraph, withOutput } from "./onnx.ts";
import { type Resize, resizer } from "./resize.ts";

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
  async run({ params, parts, inputs, outputs, cpus, progress, log, note, signal }) {
    const backbone = parts.backbone.part as Backbone;
    const size = params.size ?? backbone.size;
    if (size % backbone.multipleOf !== 0)
      throw new UserError(
        `extract: size ${size} does not fit ${parts.backbone.name}: it takes multiples of ${backbone.multipleOf}.`,
      );

    const images = readTable(inputs.images, "images");
    const { height, width, channels, classes, dataset } = readMetadata(images) as {
      height: number;
      width: number;
      channels: number;
      classes: string[];
      dataset: string;
    };
    const ids = numbers<Uint32Array>(images, "id");
    const labels = numbers<Uint16Array>(images, "label");
    const bytes = height * width * channels;

    const file = readFileSync(inputs.model);
    const graph = readGraph(file, inputs.model);
    const tensor = backbone.features ?? featureTensor(graph, inputs.model);
    if (graph.inputs.length !== 1)
      throw new UserError(
        `extract: ${parts.backbone.name} has ${graph.inputs.length} inputs (${graph.inputs.join(", ")}), but a backbone takes one.`,
      );
    const model = graph.outputs.includes(tensor) ? file : withOutput(file, tensor);
    const { device, reason } = chooseDevice(params.device, inputs.model);
    log(`device ${device} (${reason})`);
    note("device", device);
    note("device_reason", reason);
    const session = await openSession(model, device, cpus);

    const views: Resize[] = [resizer(height, width, channels, size, backbone)];
    if (params.flip) views.push(resizer(height, width, channels, size, backbone, true));
    const batch = Math.min(params.batch, backbone.batch ?? params.batch);
    // Two sets of buffers: one is filled while the network reads the other.
    const buffers = [0, 1].map(() => views.map(() => new Float32Array(batch * 3 * size * size)));
    const batches = function* () {
      for (const data of images.getChild("pixels")!.data) {
        const start = data.offset * bytes;
        for (let row = 0; row < data.length; row += batch) {
          const count = Math.min(batch, data.length - row);
          yield {
            count,
            pixels: data.values.subarray(start + row * bytes, start + (row + count) * bytes) as Uint8Array,
          };
        }
      }
    };
    const infer = async (data: Float32Array, count: number): Promise<Float32Array> => {
      const input = new Tensor("float32", data.subarray(0, count * 3 * size * size), [count, 3, size, size]);
      let output: Tensor;
      try {
        output = (await session.run({ [graph.inputs[0]]: input }, [tensor]))[tensor] as Tensor;
      } catch (error) {
        throw new UserError(
          `extract: ${parts.backbone.name} does not take [${count}, 3, ${size}, ${size}]: ${(error as Error).message.split("\n")[0]}. Choose another size or batch.`,
        );
      }
      return output.data as Float32Array;
    };

    let table: TableWriter | undefined;
    let done = 0;
    const write = (features: Float32Array, count: number) => {
      const dim = features.length / count;
      table ??= createTable(
        outputs.features,
        "vectors",
        vectorColumns(dim, "float16", new Uint16(), new Uint32()),
        { classes, dataset, backbone: parts.backbone.name, size, flip: params.flip },
      );
      for (let i = 0; i < features.length; i++)
        if (!(Math.abs(features[i]) <= LARGEST_HALF))
          throw new UserError(
            `extract: image ${ids[done + Math.floor(i / dim)]} has the feature ${features[i]}, which is not finite or too large. Is ${parts.backbone.name} the right network for this file?`,
          );
      table.write(count, {
        id: ids.subarray(done, done + count),
        label: labels.subarray(done, done + count),
        vector: narrow(features),
      });
      done += count;
      progress(done, images.numRows, "images");
    };

    const began = performance.now();
    let pending: { result: Promise<Float32Array[]>; count: number } | undefined;
    const settle = async () => {
      if (!pending) return;
      const { result, count } = pending;
      const [first, ...rest] = await result;
      // Images of both directions: the mean of their features.
      const features = rest.length ? first.map((value, i) => (value + rest[0][i]) / 2) : first;
      write(features, count);
    };
    let turn = 0;
    for (const { count, pixels } of batches()) {
      signal.throwIfAborted();
      const set = buffers[turn++ % 2];
      for (const [index, resize] of views.entries()) resize(pixels, count, set[index]);
      await settle();
      const run = async () => {
        const results: Float32Array[] = [];
        for (const data of set) results.push(await infer(data, count));
        return results;
      };
      pending = { result: run(), count };
      pending.result.catch(() => {}); // settle() tells of it
    }
    await settle();
    table?.close();
    if (!table) throw new UserError(`${inputs.images}: holds no images.`);
    note("images_per_second", Math.round((done * 1000) / (performance.now() - began)));
    await session.release();
  },
});
