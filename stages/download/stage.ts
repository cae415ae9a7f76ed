/** download: a data set's images, as published or as a folder of the project holds them, in one Arrow file. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { writeImages } from "../shared/artifacts/images.ts";
import type { Dataset } from "./dataset.ts";

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
    const written = await writeImages(outputs.images, rows, metadata, several === true, (done) => {
      signal.throwIfAborted();
      progress(done, expected, "images");
    });
    if (written === 0) throw new UserError(`download: ${parts.dataset.name} holds no images.`);
    note("images", written);
  },
});
