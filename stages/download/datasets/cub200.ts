/**
 * CUB-200-2011 (Wah et al. 2011, http://www.vision.caltech.edu/datasets/cub_200_2011/): 11,788 images of 200 birds.
 * Metric learning trains on the first 100 classes and tests on the others (Song et al. 2016, "Deep metric learning via
 * lifted structured feature embedding"): 5,864 and 5,924 images. Its makers' own split has all classes on both sides.
 */
import { UserError } from "../../../runner/stage.ts";
import { defineDataset } from "../dataset.ts";
import { fileParams, type ListedImage, openListed } from "../decoded.ts";
import { checkOnce, countsRemark, fieldsOf, idOf, type Line, pathOf, readLines, rootOf } from "../lists.ts";

/** Classes that train, of 200, where the others are unseen. */
const SEEN = 100;
const PUBLISHED = { unseen: { train: 5864, test: 5924 }, official: { train: 5994, test: 5794 } };

/** The second column of a list by its first. */
function byId(lines: Line[], what: string): Map<number, string> {
  return new Map(
    lines.map((line) => {
      const [id, value] = fieldsOf(line, ["id", what]);
      return [idOf(id, "id", line.where), value];
    }),
  );
}

export default defineDataset({
  params: {
    split: {
      enum: ["unseen", "official"],
      default: "unseen",
      description:
        "unseen: the first 100 classes train; official: the split of the makers, all classes in both",
    },
    ...fileParams,
  },
  async open(params, context) {
    const root = rootOf("cub200", context.files, "image_class_labels.txt", "CUB_200_2011");
    const names = byId(readLines(root, "classes.txt").lines, "class");
    const classes = Array.from({ length: Math.max(...names.keys()) }, (_, at) => names.get(at + 1) ?? "");
    const labels = byId(readLines(root, "image_class_labels.txt").lines, "class");
    const trains =
      params.split === "official" && byId(readLines(root, "train_test_split.txt").lines, "0 or 1");
    const { lines, sha256 } = readLines(root, "images.txt");
    const listed = lines.map((line): ListedImage & { where: string } => {
      const [text, path] = fieldsOf(line, ["id", "path"]);
      const id = idOf(text, "id", line.where);
      const label = Number(labels.get(id)) - 1;
      if (!classes[label])
        throw new UserError(
          `${line.where}: image ${id} has no class in image_class_labels.txt and classes.txt.`,
        );
      const seen = trains ? trains.get(id) === "1" : label < SEEN;
      return {
        path: pathOf(`images/${path}`, line.where),
        split: seen ? "train" : "test",
        labels: [label],
        where: line.where,
      };
    });
    checkOnce(listed);
    const remark = countsRemark("cub200", listed, PUBLISHED[params.split]);
    if (remark) context.warn(remark);
    const lists = { "images.txt": sha256 };
    return openListed("cub200", { root, images: listed, classes, lists }, params, context);
  },
});
