/** index: codes, and all that it takes to encode one more image and to find those like it, in one folder. */
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage, UserError } from "../../runner/stage.ts";
import { readBatches, readMetadata } from "../shared/artifacts/arrow.ts";
import { type Codes, packSigns, readCodes } from "../shared/artifacts/codes.ts";
import { readHead, TUNED } from "../shared/artifacts/head.ts";
import { readImageList, readPixels } from "../shared/artifacts/images.ts";
import { directions, writeOutputs } from "../shared/artifacts/outputs.ts";
import { project, readProjection } from "../shared/artifacts/projection.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { backboneOf, scalingOf } from "../shared/backbone.ts";
import { startBackend } from "../shared/compute/backend.ts";
import type { Fit } from "../shared/download/decode.ts";
import { CONTENT_BYTES, contentOf, FILES, seal, UNSEALED, type View } from "../shared/search-index.ts";
import { EMBEDDING } from "../shared/trainable/export.ts";

/** Of all bits, the share that another backend may have rounded to the other side of 0. */
const OTHER_BITS = 0.001;

/** The extra metadata of images from files: their names, by id, and how they were brought to a shape. */
async function aboutFiles(images: string): Promise<{ names?: string[]; first?: number; fit?: Fit }> {
  for await (const batch of readBatches(images, "images")) return readMetadata(batch);
  return {};
}

/** {@link contentOf} every image, one after the other. */
async function contentsOf(images: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const { pixels } of readPixels(images, 1)) parts.push(contentOf(pixels));
  return Buffer.concat(parts, parts.length * CONTENT_BYTES);
}

/** The projected vectors. @throws UserError when the codes are not its signs */
async function outputsOf(vectors: string, projection: string, codes: Codes): Promise<Float32Array> {
  const map = readProjection(projection);
  if (map.bits !== codes.bits)
    throw new UserError(
      `index: the codes have ${codes.bits} bits, but the projection makes ${map.bits}. Take both of the same stage encode.`,
    );
  const { values, dim, ids } = readVectors(vectors);
  if (dim !== map.dim || ids.length !== codes.rows || ids.some((id, row) => id !== codes.ids[row]))
    throw new UserError(
      `index: ${vectors} holds ${ids.length} vectors of ${dim} values, but the codes are of ${codes.rows} images and the projection takes ${map.dim} values. Take the vectors that encode took.`,
    );
  await startBackend("wasm");
  const outputs = project(map, values);
  const bits = packSigns(outputs, codes.bits);
  let other = 0;
  for (const [i, byte] of bits.entries())
    for (let left = byte ^ codes.values[i]; left; left &= left - 1) other++;
  if (other > OTHER_BITS * codes.rows * codes.bits)
    throw new UserError(
      `index: ${other} of ${codes.rows * codes.bits} bits of the codes are not the signs that the projection makes of the vectors. Take the vectors that encode took.`,
    );
  return outputs;
}

export default defineStage<{ views?: View[] }>({
  params: "index",
  parts: { backbone: "../shared/backbones" },
  inputs: {
    images: "images",
    model: "backbone",
    head: { artifact: "head", optional: true }, // none where the projection takes the features themselves
    vectors: "vectors", // what encode took: they order images of one code
    projection: "projection",
    codes: "codes",
  },
  outputs: { index: "index/" },
  async run({ params, parts, inputs, outputs, note }) {
    const backbone = backboneOf(parts.backbone);
    const { name } = backbone;
    const codes = readCodes(inputs.codes);
    const { ids, height, width, channels } = await readImageList(inputs.images);
    if (ids.length !== codes.rows || ids.some((id, row) => id !== codes.ids[row]))
      throw new UserError(
        `index: ${inputs.images} holds ${ids.length} images, the codes are of ${codes.rows}, in another order or of others. Take both of the same data set.`,
      );
    const values = await outputsOf(inputs.vectors, inputs.projection, codes);
    const data = join(outputs.index, UNSEALED);
    const at = (file: string) => join(data, file);
    mkdirSync(data);
    writeOutputs(at(FILES.outputs), codes, directions(values, codes.bits, "index"));
    writeFileSync(at(FILES.contents), await contentsOf(inputs.images));
    const tuned = inputs.head ? readHead(inputs.head).backbone : undefined;
    // A backbone that trained holds its head: its features are the embedding.
    copyFileSync(tuned ? join(inputs.head, TUNED) : inputs.model, at(FILES.backbone));
    copyFileSync(inputs.projection, at(FILES.projection));
    copyFileSync(inputs.codes, at(FILES.codes));
    copyFileSync(inputs.images, at(FILES.pixels));
    const { names, first = 0, fit } = await aboutFiles(inputs.images);
    if (names) {
      const inOrder = Array.from(ids, (id) => names[id - first]);
      writeFileSync(at(FILES.names), `${JSON.stringify(inOrder, null, 1)}\n`);
    }
    if (inputs.head && !tuned) cpSync(inputs.head, at(FILES.head), { recursive: true, dereference: true });
    const { features, pooling } = { ...backbone, ...(tuned && { features: EMBEDDING, pooling: undefined }) };
    await seal(outputs.index, {
      backbone: {
        name,
        ...scalingOf({ ...backbone, ...tuned }),
        ...(features && { features }),
        ...(pooling && { pooling }),
      },
      views: params.views ?? [{ size: tuned?.size ?? backbone.size, flip: false }],
      image: { height, width, channels, ...(fit && { fit }) },
      head: inputs.head !== undefined && !tuned,
      bits: codes.bits,
      classes: codes.classes,
      images: codes.rows,
    });
    note("images", codes.rows);
  },
});
