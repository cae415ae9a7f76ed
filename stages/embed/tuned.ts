/** Embeds by a backbone that trained, in onnxruntime: from images, or from the activations that training started at. */
import { open as openFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RecordBatchReader } from "apache-arrow";
import { type StageContext, UserError } from "../../runner/stage.ts";
import { type Head, readHead, TUNED, type TunedBackbone } from "../shared/artifacts/head.ts";
import { readImageList, readPixels } from "../shared/artifacts/images.ts";
import { setBytes } from "../shared/artifacts/label-sets.ts";
import { createVectors, readVectors, type Vectors } from "../shared/artifacts/vectors.ts";
import { InferenceSession, Tensor } from "../shared/compute/onnxruntime.ts";
import type { Network } from "../shared/inference/network.ts";
import { FEW, firstImages, openOnDevice } from "../shared/inference/open.ts";
import type { Device } from "../shared/inference/session.ts";
import { encodeModel, inputsOf, type Model, readModel } from "../shared/onnx/model.ts";
import { Resizer } from "../shared/pixels/resize.ts";
import { INPUT } from "../shared/trainable/cut.ts";
import { EMBEDDING, modelAfter } from "../shared/trainable/export.ts";

export interface Params {
  /** Of the mirror image. */
  flip: boolean;
  /** On what the network runs, on images. */
  device: Device | "auto";
}

/** Images at a time. */
const BATCH = 32;

/** @throws Error where they are not `count` embeddings of finite numbers */
function checked(embeddings: Float32Array, count: number, dim: number): Float32Array {
  const wrong = embeddings.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0 || embeddings.length !== count * dim)
    throw new Error(`embed: the network gave ${embeddings[wrong] ?? `${embeddings.length / count} values`}`);
  return embeddings;
}

/** Runs a model on batches. @param threads of the CPU */
async function open(model: Model, dim: number, threads: number) {
  const session = await InferenceSession.create(encodeModel(model), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const [{ name }] = inputsOf(model.graph);
  return {
    /** Embeddings `[count, dim]`. @param values `[count, ...shape]` */
    async embed(values: Float32Array, count: number, shape: number[]): Promise<Float32Array> {
      const size = count * shape.reduce((product, length) => product * length, 1);
      const fed = new Tensor("float32", values.subarray(0, size), [count, ...shape]);
      const { data } = (await session.run({ [name]: fed }, [EMBEDDING]))[EMBEDDING];
      return checked(data as Float32Array, count, dim);
    },
    close: () => session.release(),
  };
}

/** Whether a table is of images: a network that trained from a layer takes these, too. */
async function holdsImages(path: string): Promise<boolean> {
  const reader = await RecordBatchReader.from(await openFile(path));
  try {
    await reader.open();
    return reader.schema.fields.some(({ name }) => name === "pixels");
  } catch {
    return false; // what reads it next tells why
  } finally {
    await reader.cancel();
  }
}

/** The mean embedding over the views of each image. @param views `[count, 3, size, size]` each */
async function embedViews(
  network: Network,
  views: Float32Array[],
  count: number,
  size: number,
  dim: number,
): Promise<Float32Array> {
  const seen: Float32Array[] = [];
  for (const view of views) seen.push(checked(await network.infer(view, count, size), count, dim));
  return seen.length === 1 ? seen[0] : seen[0].map((value, i) => (value + seen[1][i]) / 2);
}

/** The columns beside the embeddings. */
type About = Pick<Vectors, "ids" | "labels" | "sets" | "classes">;

/** Batches of the embeddings of images. The next images are resized while the network runs. */
async function* ofImages(
  context: StageContext<Params>,
  { dim, network: name }: Head,
  { size, mean, std, resampling }: TunedBackbone,
): AsyncGenerator<Float32Array> {
  const { inputs, outputs, params } = context;
  const list = await readImageList(inputs.data);
  const sides = params.flip ? [false, true] : [false];
  const resizer = new Resizer(list, size, { mean, std, resampling }, BATCH, 2 * sides.length);
  const few = await firstImages(inputs.data, FEW, resizer, size);
  const source = {
    path: join(inputs.model, TUNED),
    name,
    features: EMBEDDING,
    folder: dirname(outputs.embeddings),
  };
  const { network } = await openOnDevice(context, source, params.device, few, BATCH);
  let pending: Promise<Float32Array> | undefined;
  try {
    let turn = 0;
    for await (const { count, pixels } of readPixels(inputs.data, BATCH)) {
      const views = sides.map((mirrored, at) =>
        resizer.fill(turn * sides.length + at, pixels, count, mirrored),
      );
      const seen = await pending;
      pending = embedViews(network, views, count, size, dim);
      pending.catch(() => {}); // the next await tells of it
      turn = 1 - turn;
      if (seen) yield seen;
    }
    if (pending) yield await pending;
  } finally {
    await pending?.catch(() => {}); // a network at work must not be closed
    await network.close();
  }
}

/** Batches of the embeddings of what enters a layer. */
async function* ofActivations(
  { inputs, cpus }: StageContext<unknown>,
  model: Model,
  { dim, input }: Head,
  { from }: TunedBackbone,
  { values, rows, dim: width }: Vectors,
): AsyncGenerator<Float32Array> {
  if (width !== input.reduce((product, length) => product * length, 1))
    throw new UserError(
      `embed: the network takes ${input.join(" x ")} values of the layer "${from}", but ${inputs.data} holds ${width} an image. Embed what it was trained on.`,
    );
  const network = await open(modelAfter(model, from, input), dim, cpus);
  try {
    for (let row = 0; row < rows; row += BATCH) {
      const count = Math.min(BATCH, rows - row);
      yield await network.embed(values.subarray(row * width, (row + count) * width), count, input);
    }
  } finally {
    await network.close();
  }
}

/**
 * Writes the embeddings of all examples.
 * @throws UserError where they are not what the network was trained on
 */
export async function embedTuned(context: StageContext<Params>): Promise<void> {
  const { inputs, outputs, params, cpus, progress, note, signal } = context;
  const head = readHead(inputs.model);
  const backbone = head.backbone!;
  const images = backbone.from === INPUT || (await holdsImages(inputs.data));
  if (!images && params.flip)
    throw new UserError(
      `embed: there is no mirror image of the layer "${backbone.from}": embed the images, or leave out "flip".`,
    );
  note("threads", cpus);
  const vectors = images ? undefined : readVectors(inputs.data);
  const about: About = vectors ?? (await readImageList(inputs.data));
  const batches = vectors
    ? ofActivations(context, readModel(join(inputs.model, TUNED)), head, backbone, vectors)
    : ofImages(context, head, backbone);
  const { ids, labels, sets, classes } = about;
  const { dim, network, loss, selector, normalise } = head;
  const training = { ...head.made?.training, ...(params.flip && { flip: true }) };
  const metadata = { classes, network, loss, selector, normalise, made: { ...head.made, training } };
  const table = createVectors(outputs.embeddings, dim, "float32", metadata, sets !== undefined);
  const bytes = setBytes(classes.length);
  let done = 0;
  try {
    for await (const embeddings of batches) {
      signal.throwIfAborted();
      const count = embeddings.length / dim;
      table.write(count, {
        id: ids.subarray(done, done + count),
        label: labels.subarray(done, done + count),
        ...(sets && { labels: sets.subarray(done * bytes, (done + count) * bytes) }),
        vector: embeddings,
      });
      done += count;
      progress(done, ids.length, "images");
    }
  } finally {
    table.close();
  }
}
