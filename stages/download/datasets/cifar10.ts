/** CIFAR-10: 60,000 colour images of 32 x 32 pixels in 10 classes. Krizhevsky 2009. */
import { fetchFile, pinned } from "../../shared/download/fetch.ts";
import { bytesOf, cifarRows, readArchive } from "../cifar.ts";
import { defineDataset } from "../dataset.ts";

const ROWS = 10_000;
const FILES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`).concat("test_batch.bin");

export default defineDataset({
  params: pinned({
    file: "cifar-10-binary.tar.gz",
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    urls: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
  }),
  async open(params, context) {
    const archive = await fetchFile(params, context);
    const files = await readArchive(
      archive,
      new Map(FILES.map((name) => [name, bytesOf(ROWS, 1)])),
      context.signal,
    );
    return {
      info: {
        dataset: "cifar10",
        height: 32,
        width: 32,
        channels: 3,
        classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
        images: 60_000,
      },
      // An image's id is its place in the published order: file * 10000 + row.
      rows: (function* () {
        for (const [index, name] of FILES.entries())
          yield* cifarRows(
            name,
            files.get(name)!,
            { labels: 1, label: 0, classes: 10 },
            index < 5 ? "train" : "test",
            index * ROWS,
          );
      })(),
    };
  },
});
