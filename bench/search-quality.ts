/**
 * Quality of the search in indexes of files: the share of the 10 nearest images (without the query) that are of its class,
 * and how often an image, a crop of it and its mirror image find the image itself. Writes a report that may be committed:
 * reports/search/quality.md, and quality.json for programs. Indexes of the same images with other encoders, a trained one
 * and a label-free one, are columns side by side, of the same queries.
 *
 * `node bench/run.mjs search-quality INDEX … [--queries 200] [--out reports/search]`
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { Encoder } from "../search/encoder.ts";
import { Nearest, type Order } from "../search/nearest.ts";
import { fileOf, type Index, openWith } from "../search/opened.ts";
import { readImage } from "../search/photos.ts";
import { random } from "../stages/shared/compute/random.ts";
import { contentOf } from "../stages/shared/search-index.ts";

const TOP = 10;
/** Share of both sides that a crop keeps. */
const KEPT = 0.9;
const ORDERS: Order[] = ["bits", "outputs"];

/** Queries whose own image is the first answer, and among the first {@link TOP}. */
interface Finds {
  first: number;
  among: number;
}

interface Quality {
  index: string;
  backbone: string;
  /** Whether its encoder has a trained head. */
  trained: boolean;
  images: number;
  bits: number;
  queries: number;
  /** Of the nearest other images, the share of the query's class. */
  precision: Record<Order, number>;
  finds: Record<string, Record<Order, Finds>>;
}

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

function precisionOf({ codes }: Index, nearest: Nearest, rows: number[], order: Order): number {
  let right = 0;
  for (const row of rows) {
    const found = nearest.like(row, { top: TOP + 1, order }).filter((hit) => hit.row !== row);
    right += found.slice(0, TOP).filter((hit) => codes.labels[hit.row] === codes.labels[row]).length;
  }
  return Number((right / rows.length / TOP).toFixed(4));
}

async function findsOf(
  index: Index,
  encoder: Encoder,
  nearest: Nearest,
  rows: number[],
  change: (path: string) => Promise<Buffer>,
): Promise<Record<Order, Finds>> {
  const finds = { bits: { first: 0, among: 0 }, outputs: { first: 0, among: 0 } };
  const scratch = mkdtempSync(join(tmpdir(), "deephash-quality-"));
  const copy = join(scratch, "query.png");
  try {
    for (const row of rows) {
      writeFileSync(copy, await change(fileOf(index, row)!));
      const pixels = await readImage(copy, index.recipe.image);
      const outputs = await encoder.outputs(pixels, 1);
      for (const order of ORDERS) {
        const hits = nearest.find(outputs, contentOf(pixels), { top: TOP, order });
        const place = hits.findIndex((hit) => hit.row === row);
        finds[order].first += Number(place === 0);
        finds[order].among += Number(place >= 0);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return finds;
}

async function qualityOf(folder: string, most: number): Promise<Quality> {
  const [index, encoder] = await openWith(folder, ({ files, recipe }) =>
    Encoder.open(files, recipe, availableParallelism()),
  );
  try {
    const { codes, recipe } = index;
    if (!recipe.roots) throw new Error(`${folder}: an index of files is needed`);
    const nearest = new Nearest(index);
    const rows = random(1, "queries")
      .shuffle(Array.from({ length: codes.rows }, (_, row) => row))
      .slice(0, most);
    const finds: Quality["finds"] = {};
    for (const [name, change] of Object.entries(CHANGES))
      finds[name] = await findsOf(index, encoder, nearest, rows, change);
    return {
      index: basename(resolve(folder)),
      backbone: recipe.backbone.name,
      trained: recipe.head,
      images: codes.rows,
      bits: codes.bits,
      queries: rows.length,
      precision: {
        bits: precisionOf(index, nearest, rows, "bits"),
        outputs: precisionOf(index, nearest, rows, "outputs"),
      },
      finds,
    };
  } finally {
    await encoder.close();
  }
}

/** The report in Markdown: two columns for each index. */
function textOf(all: Quality[]): string {
  const cells = (value: (one: Quality, order: Order) => string) =>
    all.flatMap((one) => ORDERS.map((order) => value(one, order)));
  const row = (name: string, values: string[]) => `| ${[name, ...values].join(" | ")} |`;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const kind = ({ trained, backbone, bits }: Quality) =>
    `${backbone}, ${trained ? "a trained head" : "no head"}, ${bits} bits`;
  return `${[
    "# Quality of the search",
    "",
    "`node bench/run.mjs search-quality INDEX …` wrote this page. Each index is searched by its bits and by its outputs.",
    "",
    ...all.map((one) => `* \`${one.index}\`: ${kind(one)}; ${one.images} images, ${one.queries} queries`),
    "",
    row(
      "",
      cells(({ index }, order) => `${index}, \`${order}\``),
    ),
    row(
      "---",
      cells(() => "---:"),
    ),
    row(
      `of the ${TOP} nearest other images, those of the query's class`,
      cells(({ precision }, order) => percent(precision[order])),
    ),
    ...Object.keys(CHANGES).flatMap((name) => [
      row(
        `the image by ${name}: first`,
        cells(({ finds, queries }, order) => `${finds[name][order].first} of ${queries}`),
      ),
      row(
        `… among the first ${TOP}`,
        cells(({ finds, queries }, order) => `${finds[name][order].among} of ${queries}`),
      ),
    ]),
  ].join("\n")}\n`;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    queries: { type: "string", default: "200" },
    out: { type: "string", default: "reports/search" },
  },
});
if (positionals.length === 0)
  throw new Error("node bench/run.mjs search-quality INDEX … [--queries 200] [--out reports/search]");
const all: Quality[] = [];
for (const folder of positionals) all.push(await qualityOf(folder, Number(values.queries)));
mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, "quality.json"), `${JSON.stringify(all, null, 2)}\n`);
writeFileSync(join(values.out, "quality.md"), textOf(all));
console.log(textOf(all));
