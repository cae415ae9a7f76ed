/**
 * Quality of a search in an index of files: the share of the 10 nearest images (without the query) that are of its class,
 * and how often an image, a crop of it and its mirror image find the image itself.
 *
 * `node bench/run.mjs search-quality INDEX [QUERIES]`
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { Encoder } from "../search/encoder.ts";
import { Nearest, type Order } from "../search/nearest.ts";
import { fileOf, openWith } from "../search/opened.ts";
import { readImage } from "../search/photos.ts";
import { random } from "../stages/shared/compute/random.ts";
import { contentOf } from "../stages/shared/search-index.ts";

const TOP = 10;
/** Share of both sides that a crop keeps. */
const KEPT = 0.9;
const ORDERS: Order[] = ["bits", "outputs"];
const [folder, most = "200"] = process.argv.slice(2);
if (!folder) throw new Error("node bench/run.mjs search-quality INDEX [QUERIES]");

/** The image changed, as a PNG. */
const CHANGES: Record<string, (path: string) => Promise<Buffer>> = {
  itself: (path) => sharp(path).autoOrient().png().toBuffer(),
  "its crop": async (path) => {
    const { autoOrient } = await sharp(path).metadata();
    const [width, height] = [Math.round(KEPT * autoOrient.width), Math.round(KEPT * autoOrient.height)];
    const place = {
      left: (autoOrient.width - width) >> 1,
      top: (autoOrient.height - height) >> 1,
      width,
      height,
    };
    return sharp(path).autoOrient().extract(place).png().toBuffer();
  },
  "its mirror image": (path) => sharp(path).autoOrient().flop().png().toBuffer(),
};

const [index, encoder] = await openWith(folder, ({ files, recipe }) =>
  Encoder.open(files, recipe, availableParallelism()),
);
const { codes, recipe } = index;
if (!recipe.roots) throw new Error(`${folder}: an index of files is needed`);
const nearest = new Nearest(index);
const rows = random(1, "queries")
  .shuffle(Array.from({ length: codes.rows }, (_, row) => row))
  .slice(0, Number(most));
console.log(`${folder}: ${codes.rows} images, ${codes.bits} bits; ${rows.length} queries`);

for (const order of ORDERS) {
  let right = 0;
  for (const row of rows) {
    const found = nearest.like(row, { top: TOP + 1, order }).filter((hit) => hit.row !== row);
    right += found.slice(0, TOP).filter((hit) => codes.labels[hit.row] === codes.labels[row]).length;
  }
  console.log(`precision@${TOP} by ${order}: ${(right / rows.length / TOP).toFixed(3)}`);
}
const scratch = mkdtempSync(join(tmpdir(), "deephash-quality-"));
const copy = join(scratch, "query.png");
for (const [name, change] of Object.entries(CHANGES)) {
  const first = { bits: 0, outputs: 0 };
  const among = { bits: 0, outputs: 0 };
  for (const row of rows) {
    writeFileSync(copy, await change(fileOf(index, row)!));
    const pixels = await readImage(copy, recipe.image);
    const outputs = await encoder.outputs(pixels, 1);
    for (const order of ORDERS) {
      const place = nearest
        .find(outputs, contentOf(pixels), { top: TOP, order })
        .findIndex((hit) => hit.row === row);
      first[order] += Number(place === 0);
      among[order] += Number(place >= 0);
    }
  }
  for (const order of ORDERS)
    console.log(`${name} by ${order}: first ${first[order]}, among ${TOP} ${among[order]} of ${rows.length}`);
}
await encoder.close();
rmSync(scratch, { recursive: true });
