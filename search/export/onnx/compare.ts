/** Whether a model in ONNX gives what the encoder of its index gives. */
import type { FixedSizeBinary } from "apache-arrow";
import { readBatches } from "../../../stages/shared/artifacts/arrow.ts";
import { InferenceSession, Tensor } from "../../../stages/shared/compute/onnxruntime.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { FILES } from "../../../stages/shared/search-index.ts";
import { BATCH, type Encoder } from "../../encoder.ts";
import { fileOf, type Index } from "../../opened.ts";
import { readImage } from "../../photos.ts";
import { INPUT, type InputForm, OUTPUTS } from "./encoder.ts";

/** The result of a comparison. */
export interface Difference {
  images: number;
  /** Of the embeddings, each at length 1: the largest difference of a value. */
  embedding: number;
  /** Bits that differ. */
  bits: number;
}

/** Rows spread over the index. */
const spread = (rows: number, count: number): Set<number> =>
  new Set(
    Array.from({ length: Math.min(count, rows) }, (_, i) => Math.floor((i * rows) / Math.min(count, rows))),
  );

/** The pixels of rows of an index, as they are encoded. Files that cannot be read are passed over. */
async function* pixelsOf(index: Index, count: number): AsyncGenerator<Uint8Array> {
  const { recipe, files, codes } = index;
  const rows = spread(codes.rows, count);
  if (recipe.roots !== undefined) {
    for (const row of rows) {
      const pixels = await readImage(fileOf(index, row)!, recipe.image).catch(() => undefined);
      if (pixels) yield pixels;
    }
    return;
  }
  let first = 0;
  for await (const batch of readBatches(await files.path(FILES.pixels), "images")) {
    const column = batch.getChild("pixels")!;
    const bytes = (column.type as FixedSizeBinary).byteWidth;
    for (let row = 0; row < batch.numRows; row++)
      if (rows.has(first + row)) yield new Uint8Array((column.get(row) as Uint8Array).subarray(0, bytes));
    first += batch.numRows;
  }
}

/** Images of nothing, for an index whose own are gone. */
function* noise(bytes: number): Generator<Uint8Array> {
  const draw = random(1, "noise");
  for (let i = 0; i < BATCH; i++) yield Uint8Array.from({ length: bytes }, () => draw.int(256));
}

/** Batches of images in one array. */
async function* batches(index: Index, count: number): AsyncGenerator<{ pixels: Uint8Array; images: number }> {
  const { height, width, channels } = index.recipe.image;
  const bytes = height * width * channels;
  let group: Uint8Array[] = [];
  let any = false;
  const joined = () => ({ pixels: new Uint8Array(Buffer.concat(group)), images: group.length });
  for await (const pixels of pixelsOf(index, count)) {
    any = true;
    group.push(pixels);
    if (group.length < BATCH) continue;
    yield joined();
    group = [];
  }
  if (!any) group = [...noise(bytes)];
  if (group.length > 0) yield joined();
}

/** Bytes as the input form `pixels` takes them. */
function toPlanes({ recipe: { backbone, image } }: Index, bytes: Uint8Array, images: number): Float32Array {
  const { height, width, channels } = image;
  const size = height * width;
  const planes = new Float32Array(images * 3 * size);
  for (let i = 0; i < images; i++)
    for (let channel = 0; channel < 3; channel++)
      for (let at = 0; at < size; at++) {
        const byte = bytes[(i * size + at) * channels + (channels === 3 ? channel : 0)];
        planes[(i * 3 + channel) * size + at] = (byte / 255 - backbone.mean[channel]) / backbone.std[channel];
      }
  return planes;
}

/** The largest difference of two rows, each at length 1. */
function apart(a: Float32Array, b: Float32Array): number {
  const length = (row: Float32Array) => Math.hypot(...row) || 1;
  const [first, second] = [length(a), length(b)];
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value / first - b[i] / second)), 0);
}

/**
 * Holds a model against the encoder of its index on images of the index; where none can be read, on noise.
 * @param count of the images
 */
export async function compare(
  model: Uint8Array,
  form: InputForm,
  index: Index,
  encoder: Encoder,
  count: number,
): Promise<Difference> {
  const { height, width, channels } = index.recipe.image;
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const found: Difference = { images: 0, embedding: 0, bits: 0 };
  try {
    for await (const { pixels, images } of batches(index, count)) {
      const input =
        form === "bytes"
          ? new Tensor("uint8", pixels, [images, height, width, channels])
          : new Tensor("float32", toPlanes(index, pixels, images), [images, 3, height, width]);
      const results = await session.run({ [INPUT]: input });
      const own = await encoder.encode(pixels, images);
      const embeddings = results[OUTPUTS.embedding].data as Float32Array;
      const dim = embeddings.length / images;
      for (let at = 0; at < embeddings.length; at += dim)
        found.embedding = Math.max(
          found.embedding,
          apart(embeddings.subarray(at, at + dim), own.embeddings.subarray(at, at + dim)),
        );
      const bits = results[OUTPUTS.bits].data as Uint8Array;
      for (const [i, bit] of bits.entries()) if (bit !== Number(own.outputs[i] > 0)) found.bits++;
      found.images += images;
    }
  } finally {
    await session.release();
  }
  return found;
}
