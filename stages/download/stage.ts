/** download: a data set's images, as published or as a folder of the project holds them, in one Arrow file. */
import { Uint16, Uint32, Utf8 } from "apache-arrow";
import { defineStage, UserError } from "../../runner/stage.ts";
import { bytesColumn, createTable } from "../shared/artifacts/arrow.ts";
import { packSets, setBytes } from "../shared/artifacts/label-sets.ts";
import type { Dataset, ImageRow } from "./dataset.ts";

/** Images a record batch. */
const BATCH = 2000;

export default defineStage({
  params: "download",
  parts: { dataset: "datasets" },
  inputs: { files: { artifact: "files", optional: true, tolerant: true } },
  outputs: { images: "images.arrow" },
  async run({ parts, inputs, outputs, downloads, progress, log, warn, signal, note }) {
    const dataset = parts.dataset.part as Dataset;
    const context = { files: inputs.files, downloads, progress, log, warn, signal, note };
    const { info, rows } = await dataset.open(parts.dataset.params, context);
    const { images: expected, several, ...metadata } = info;
    const classes = info.classes.length;
    const size = info.height * info.width * info.channels;
    const table = createTable(
      outputs.images,
      "images",
      {
        id: new Uint32(),
        split: new Utf8(),
        label: new Uint16(),
        ...(several && { labels: bytesColumn(setBytes(classes)) }),
        pixels: bytesColumn(size),
      },
      metadata,
    );
    let batch: ImageRow[] = [];
    let written = 0;
    const flush = () => {
      if (batch.length === 0) return;
      const pixels = new Uint8Array(batch.length * size);
      for (const [row, image] of batch.entries()) pixels.set(image.pixels, row * size);
      table.write(batch.length, {
        id: Uint32Array.from(batch, ({ id }) => id),
        split: batch.map(({ split }) => split),
        label: Uint16Array.from(batch, ({ label }) => label),
        ...(several && {
          labels: packSets(
            batch.map(({ labels }) => labels!),
            classes,
          ),
        }),
        pixels,
      });
      written += batch.length;
      batch = [];
      progress(written, expected, "images");
    };
    for await (const row of rows) {
      batch.push(row);
      if (batch.length === BATCH) {
        signal.throwIfAborted();
        flush();
      }
    }
    flush();
    table.close();
    if (written === 0) throw new UserError(`download: ${parts.dataset.name} holds no images.`);
    note("images", written);
  },
});
