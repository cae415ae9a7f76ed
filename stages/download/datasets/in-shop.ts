/**
 * In-shop Clothes Retrieval of DeepFashion (Liu et al. 2016, https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html):
 * 3,997 items train with 25,882 images; of 3,985 others, 14,218 images query and 12,612 (the gallery) are searched. The
 * folders above an item are its category, as WOMEN/Dresses.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import { defineDataset, type Role } from "../dataset.ts";
import { fileParams, type ListedImage, openListed } from "../decoded.ts";
import {
  type Categorised,
  categoriesOfClasses,
  checkOnce,
  countsRemark,
  fieldsOf,
  pathOf,
  readLines,
  rootOf,
} from "../lists.ts";

const LIST = "Eval/list_eval_partition.txt";
const COLUMNS = ["image_name", "item_id", "evaluation_status"];
const ROLES: Record<string, Role> = { train: "train", query: "test", gallery: "database" };
const PUBLISHED = { train: 25_882, test: 14_218, database: 12_612 };

export default defineDataset({
  searched: true,
  categories: true,
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
      .map((line): ListedImage & Categorised => {
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
          category: path.split("/").slice(1, -2).join("/"), // img/CATEGORY/ITEM/FILE
          where: line.where,
        };
      });
    checkOnce(images);
    const remark = countsRemark("in-shop", images, PUBLISHED);
    if (remark) context.warn(remark);
    const classes = [...labelOf.keys()];
    const categories = categoriesOfClasses(images, classes);
    const lists = { [LIST]: sha256 };
    return openListed("in-shop", { root, images, classes, ...categories, lists }, params, context);
  },
});
