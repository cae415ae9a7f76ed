/**
 * Stanford Online Products (Song et al. 2016, https://cvgl.stanford.edu/projects/lifted_struct/): 120,053 images of
 * 22,634 products of 12 categories. 11,318 products train, 11,316 others test: 59,551 and 60,502 images.
 */
import { UserError } from "../../../runner/stage.ts";
import { defineDataset, type Role } from "../dataset.ts";
import { fileParams, type ListedImage, openListed } from "../decoded.ts";
import {
  type Categorised,
  categoriesOfClasses,
  checkOnce,
  countsRemark,
  fieldsOf,
  idOf,
  pathOf,
  readLines,
  rootOf,
} from "../lists.ts";

const COLUMNS = ["image_id", "class_id", "super_class_id", "path"];
const LISTS: [string, Role][] = [
  ["Ebay_train.txt", "train"],
  ["Ebay_test.txt", "test"],
];
const PUBLISHED = { train: 59_551, test: 60_502 };

export default defineDataset({
  categories: true,
  params: fileParams,
  async open(params, context) {
    const root = rootOf("sop", context.files, "Ebay_train.txt", "Stanford_Online_Products");
    const lists: Record<string, string> = {};
    const images: (ListedImage & Categorised)[] = [];
    const classes: string[] = [];
    const labelOf = new Map<number, number>();
    for (const [name, split] of LISTS) {
      const { lines, sha256 } = readLines(root, name);
      lists[name] = sha256;
      for (const line of lines) {
        if (line.text.startsWith("image_id")) continue;
        const [, product, category, path] = fieldsOf(line, COLUMNS);
        const id = idOf(product, "class_id", line.where);
        if (!labelOf.has(id)) {
          labelOf.set(id, classes.length);
          classes.push(`product ${id}`);
        }
        images.push({
          path: pathOf(path, line.where),
          split,
          labels: [labelOf.get(id)!],
          category: `super-class ${idOf(category, "super_class_id", line.where)}`,
          where: line.where,
        });
      }
    }
    checkOnce(images);
    const found = categoriesOfClasses(images, classes);
    if ("no_categories" in found)
      throw new UserError(`${found.no_categories}. Take the lists as the data set's makers publish them.`);
    const remark = countsRemark("sop", images, PUBLISHED);
    if (remark) context.warn(remark);
    return openListed("sop", { root, images, classes, ...found, lists }, params, context);
  },
});
