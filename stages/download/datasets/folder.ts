/**
 * Your own images: a folder that is the input `files` of the stage, with one folder a class in it; or with `train`,
 * `val` and `test` in it, each with one folder a class. All that sharp decodes, brought to one size.
 */
import { statSync } from "node:fs";
import { UserError } from "../../../runner/stage.ts";
import { ENDINGS } from "../../shared/download/decode.ts";
import { list, looseRemark } from "../../shared/folder/folder.ts";
import { sorted } from "../../shared/folder/walk.ts";
import { shown } from "../../shared/text.ts";
import { defineDataset } from "../dataset.ts";
import { fileParams, openListed } from "../decoded.ts";

/** Labels are held as Uint16. */
const MOST_CLASSES = 2 ** 16;

export default defineDataset({
  params: fileParams,
  async open(params, context) {
    const { files: root, log, warn, note } = context;
    if (!root)
      throw new UserError(
        "download: the data set folder needs the folder itself: inputs: { files: ./MY/IMAGES }, with one folder a class in it.",
      );
    if (!statSync(root).isDirectory())
      throw new UserError(`${root}: no folder. Name one with one folder a class in it.`);
    const { entries, loose, others, remarks } = list(root);
    for (const remark of [...remarks, ...looseRemark(loose)]) warn(remark);
    const classes = sorted([...new Set(entries.map((entry) => entry.class))]);
    if (classes.length === 0)
      throw new UserError(
        `${root}: no images. There must be one folder a class, with ${ENDINGS.join(", ")}.`,
      );
    if (classes.length > MOST_CLASSES)
      throw new UserError(`${root}: ${classes.length} classes, but ${MOST_CLASSES} are the most.`);
    if (others.length) log(`no images by their ending: ${others.map(shown).join(", ")}`);
    note("other_files", others.length);
    const labels = new Map(classes.map((name, label) => [name, label]));
    const images = entries.map(({ path, split, class: name }) => ({
      path,
      split,
      labels: [labels.get(name)!],
    }));
    return openListed("folder", { root, images, classes }, params, context);
  },
});
