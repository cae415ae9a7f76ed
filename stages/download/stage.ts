/** download: a data set's images, as published or as a folder of the project holds them, in one Arrow file. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { writeImages } from "../shared/artifacts/images.ts";
import type { Dataset, ImageRow } from "./dataset.ts";

/** The highest number of an image: tables hold them as Uint32. */
const LAST = 2 ** 32 - 1;

/** Numbers images from `first` on. */
async function* numbered(rows: AsyncIterable<ImageRow> | Iterable<ImageRow>, first: number) {
  for await (const row of rows) {
    const id = row.id + first;
    if (id > LAST)
      throw new UserError(
        `download: with first: ${first}, an image has number ${id}, but ${LAST} is the highest. Give a lower one.`,
      );
    yield { ...row, id };
  }
}

export default defineStage<{ first: number }>({
  params: "download",
  parts: { dataset: "datasets" },
  inputs: { files: { artifact: "files", optional: true, tolerant: true } },
  outputs: { images: "images.arrow" },
  async run({ params: { first }, parts, inputs, outputs, downloads, progress, log, warn, signal, note }) {
    const dataset = parts.dataset.part as Dataset;
    const context = { files: inputs.files, downloads, progress, log, warn, signal, note };
    const { info, rows } = await dataset.open(parts.dataset.params, context);
    const { images: expected, several, ...about } = info;
    const metadata = { ...about, ...(first > 0 && { first }) };
    const written = await writeImages(
      outputs.images,
      numbered(rows, first),
      metadata,
      several === true,
      (done) => {
        signal.throwIfAborted();
        progress(done, expected, "images");
      },
    );
    if (written === 0) throw new UserError(`download: ${parts.dataset.name} holds no images.`);
    note("images", written);
  },
});
