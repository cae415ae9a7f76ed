/** index: codes, and all that it takes to encode one more image and to find those like it, in one folder. */
import { copyFileSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage, UserError } from "../../runner/stage.ts";
import type { Backbone } from "../shared/backbone.ts";
import { readCodes } from "../shared/codes.ts";
import type { Fit } from "../shared/decode.ts";
import { readImageList } from "../shared/images.ts";
import { readProjection } from "../shared/projection.ts";
import { FILES, type View, writeRecipe } from "../shared/searchable.ts";
import { readBatches, readMetadata } from "../shared/tables.ts";

/** What a table of images of files knows more than others: their names, by id, and how they were brought to a shape. */
async function aboutFiles(images: string): Promise<{ names?: string[]; fit?: Fit }> {
  for await (const batch of readBatches(images, "images")) return readMetadata(batch);
  return {};
}

export default defineStage<{ views?: View[] }>({
  params: "index",
  parts: { backbone: "../shared/backbones" },
  inputs: {
    images: "images",
    model: "backbone",
    head: { artifact: "head", optional: true }, // none where the projection takes the features themselves
    projection: "projection",
    codes: "codes",
  },
  outputs: { index: "index/" },
  async run({ params, parts, inputs, outputs, note }) {
    const { name } = parts.backbone;
    const backbone = parts.backbone.part as Backbone;
    const codes = readCodes(inputs.codes);
    const projection = readProjection(inputs.projection);
    if (projection.bits !== codes.bits)
      throw new UserError(
        `index: the codes have ${codes.bits} bits, but the projection makes ${projection.bits}. Take both of the same stage encode.`,
      );
    const { ids, height, width, channels } = await readImageList(inputs.images);
    if (ids.length !== codes.rows || ids.some((id, row) => id !== codes.ids[row]))
      throw new UserError(
        `index: ${inputs.images} holds ${ids.length} images, the codes are of ${codes.rows}, in another order or of others. Take both of the same data set.`,
      );
    const at = (file: string) => join(outputs.index, file);
    copyFileSync(inputs.model, at(FILES.backbone));
    copyFileSync(inputs.projection, at(FILES.projection));
    copyFileSync(inputs.codes, at(FILES.codes));
    copyFileSync(inputs.images, at(FILES.pixels));
    const { names, fit } = await aboutFiles(inputs.images);
    if (names)
      writeFileSync(
        at(FILES.names),
        `${JSON.stringify(
          Array.from(ids, (id) => names[id]),
          null,
          1,
        )}\n`,
      );
    if (inputs.head) cpSync(inputs.head, at(FILES.head), { recursive: true, dereference: true });
    const { mean, std, features } = backbone;
    writeRecipe(outputs.index, {
      backbone: { name, mean, std, ...(features === undefined ? {} : { features }) },
      views: params.views ?? [{ size: backbone.size, flip: false }],
      image: { height, width, channels, ...(fit && { fit }) },
      head: inputs.head !== undefined,
      bits: codes.bits,
      classes: codes.classes,
      images: codes.rows,
    });
    note("images", codes.rows);
  },
});
