/** CIFAR-100: 60,000 colour images of 32 x 32 pixels in 100 classes, which make up 20 groups. Krizhevsky 2009. */
import { UserError } from "../../../runner/stage.ts";
import { fetchFile, pinned } from "../../shared/download/fetch.ts";
import { bytesOf, cifarRows, readArchive } from "../cifar.ts";
import { defineDataset } from "../dataset.ts";

/** Classes of each kind of label, in the order of the label bytes. */
const KINDS = { coarse: 20, fine: 100 };
/** Bytes of the names of the classes, at most. */
const MOST_NAMES = 10_000;
const fileOf = (kind: keyof typeof KINDS) => `${kind}_label_names.txt`;

/** The names of a kind of label, in the order of their numbers. @throws UserError when there are more or fewer */
function namesOf(files: Map<string, Buffer>, kind: keyof typeof KINDS, archive: string): string[] {
  const file = fileOf(kind);
  const names = files.get(file)!.toString("utf8").trim().split("\n");
  if (names.length !== KINDS[kind])
    throw new UserError(`${archive}: ${file} names ${names.length} classes, not ${KINDS[kind]}.`);
  return names;
}

/** The group of each class: a row begins with both labels. */
function groupsOf(rows: Buffer, names: string[], classes: string[]): string[] {
  const groups = classes.map(() => names[0]);
  for (let at = 0; at < rows.length; at += bytesOf(1, 2))
    if (rows[at] < names.length && rows[at + 1] < classes.length) groups[rows[at + 1]] = names[rows[at]];
  return groups;
}

export default defineDataset({
  categories: true,
  params: {
    ...pinned({
      file: "cifar-100-binary.tar.gz",
      sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
      urls: ["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    }),
    labels: {
      enum: ["coarse", "fine"],
      default: "fine",
      description: "fine: the 100 classes; coarse: their 20 groups",
    },
  },
  async open(params, context) {
    const kind = params.labels;
    const archive = await fetchFile(params, context);
    const sizes = new Map([
      ["train.bin", bytesOf(50_000, 2)],
      ["test.bin", bytesOf(10_000, 2)],
      [fileOf("coarse"), MOST_NAMES],
      [fileOf("fine"), MOST_NAMES],
    ]);
    const files = await readArchive(archive, sizes, context.signal);
    const classes = namesOf(files, kind, archive);
    const groups =
      kind === "fine" && groupsOf(files.get("train.bin")!, namesOf(files, "coarse", archive), classes);
    const layout = { labels: 2, label: kind === "fine" ? 1 : 0, classes: KINDS[kind] };
    return {
      info: {
        ...{ dataset: "cifar100", height: 32, width: 32, channels: 3, classes, images: 60_000 },
        ...(groups && { categories: groups }),
      },
      // An image's id is its place in the published order, test images from 50,000 on.
      rows: (function* () {
        yield* cifarRows("train.bin", files.get("train.bin")!, layout, "train", 0);
        yield* cifarRows("test.bin", files.get("test.bin")!, layout, "test", 50_000);
      })(),
    };
  },
});
