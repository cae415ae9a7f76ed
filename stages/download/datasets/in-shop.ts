/**
 * In-shop Clothes Retrieval of DeepFashion (Liu et al. 2016, https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html):
 * 3,997 items train with 25,882 images; of 3,985 others, 14,218 images query and 12,612 (the gallery) are searched.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import { defineDataset, type Role } from "../dataset.ts";
import { fileParams, type ListedImage, openListed } from "../decoded.ts";
import { checkOnce, countsRemark, fieldsOf, pathOf, readLines, rootOf } from "../lists.ts";

const LIST = "Eval/list_eval_partition.txt";
const COLUMNS = ["image_name", "item_id", "evaluation_status"];
const ROLES: Record<string, Role> = { train: "train", query: "test", gallery: "database" };
const PUBLISHED = { train: 25_882, test: 14_218, database: 12_612 };

export default defineDataset({
  searched: true,
  params: fileParams,
  async open(params, context) {
    const root = rootOf("in-shop", context.files, LIST, "In-shop");
    const { lines, sha256 } = readLines(root, LIST);
    // The archive of the images unpacks to Img/img/, the list has img/.
    const above = existsSync(join(root, "Img/img")) ? "Img/" : "";
    const labelOf = new Map<string, number>();
    // The first two lines are the number of images and the names of the columns.
    const images = lines
      .filter(({ text }, at) => !(at === 0 && /^\d+$/.test(text)) && !text.startsWith("image_name"))
      .map((line): ListedImage & { where: string } => {
        const [path, item, status] = fieldsOf(line, COLUMNS);
        const split = ROLES[status];
        if (!split)
          throw new UserError(
            `${line.where}: "${status}" is no evaluation_status: ${Object.keys(ROLES).join(", ")}.`,
          );
        if (!labelOf.has(item)) labelOf.set(item, labelOf.size);
        return {
          path: pathOf(above + path, line.where),
          split,
          labels: [labelOf.get(item)!],
          where: line.where,
        };
      });
    checkOnce(images);
    const remark = countsRemark("in-shop", images, PUBLISHED);
    if (remark) context.warn(remark);
    const classes = [...labelOf.keys()];
    return openListed("in-shop", { root, images, classes, lists: { [LIST]: sha256 } }, params, context);
  },
});
