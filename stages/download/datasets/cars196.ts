/**
 * Cars-196 (Krause et al. 2013, "3D object representations for fine-grained categorization"): 16,185 images of 196
 * models. Metric learning trains on the first 98 and tests on the others (Song et al. 2016): 8,054 and 8,131 images.
 * Its makers' own split has all models on both sides.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import { defineDataset } from "../dataset.ts";
import { fileParams, type ListedImage, openListed } from "../decoded.ts";
import { checkOnce, countsRemark, pathOf, rootOf } from "../lists.ts";
import { type MatValue, readMat } from "../mat.ts";

const LIST = "cars_annos.mat";
/** Classes that train, of 196, where the others are unseen. */
const SEEN = 98;
const PUBLISHED = { unseen: { train: 8054, test: 8131 }, official: { train: 8144, test: 8041 } };

/** The number of a field that holds one. */
const numberOf = (value: MatValue): number => Number((value as number[] | undefined)?.[0]);

export default defineDataset({
  params: {
    split: {
      enum: ["unseen", "official"],
      default: "unseen",
      description: "unseen: the first 98 models train; official: the split of the makers, all models in both",
    },
    ...fileParams,
  },
  async open(params, context) {
    const root = rootOf("cars196", context.files, LIST, "cars196");
    const path = join(root, LIST);
    const bytes = readFileSync(path);
    const variables = readMat(bytes, path);
    const annotations = variables.get("annotations") as Record<string, MatValue>[] | undefined;
    const classes = variables.get("class_names") as string[] | undefined;
    if (!Array.isArray(annotations) || !Array.isArray(classes))
      throw new UserError(
        `${path}: holds no "annotations" and "class_names". Is it the list of all 16,185 images?`,
      );
    const images = annotations.map((fields, at): ListedImage & { where: string } => {
      const where = `${path}, annotation ${at + 1}`;
      const label = numberOf(fields.class) - 1;
      if (typeof fields.relative_im_path !== "string" || !classes[label])
        throw new UserError(`${where}: holds no relative_im_path with a class of class_names.`);
      const seen = params.split === "official" ? numberOf(fields.test) === 0 : label < SEEN;
      return {
        path: pathOf(fields.relative_im_path, where),
        split: seen ? "train" : "test",
        labels: [label],
        where,
      };
    });
    checkOnce(images);
    const remark = countsRemark("cars196", images, PUBLISHED[params.split]);
    if (remark) context.warn(remark);
    const lists = { [LIST]: createHash("sha256").update(bytes).digest("hex") };
    return openListed("cars196", { root, images, classes, lists }, params, context);
  },
});
