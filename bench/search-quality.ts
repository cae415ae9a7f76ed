/**
 * Quality of the search in indexes of files: the share of the 10 nearest images (without the query) that are of its class,
 * and how often an image, a crop of it and its mirror image find the image itself. Writes a report that may be committed:
 * reports/search/quality.md, and quality.json for programs. Indexes of the same images with other encoders, a trained one
 * and a label-free one, are columns side by side, of the same queries: drawn from the files that all of them have.
 *
 * `node bench/run.mjs search-quality INDEX … [--queries 200] [--out reports/search]`
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { isUserError, UserError } from "../runner/stage.ts";
import { Encoder } from "../search/encoder.ts";
import { Nearest, type Order } from "../search/nearest.ts";
import { fileOf, type Index, openIndex, openWith } from "../search/opened.ts";
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
  let [right, all] = [0, 0];
  for (const row of rows) {
    const hits = nearest.like(row, { top: TOP + 1, order }).filter((hit) => hit.row !== row);
    const found = hits.slice(0, TOP); // fewer in an index of fewer images
    right += found.filter((hit) => codes.labels[hit.row] === codes.labels[row]).length;
    all += found.length;
  }
  return Number((right / Math.max(1, all)).toFixed(4));
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

/** The row of each file. @throws UserError where the index is not of files */
function rowsOf(index: Index): Map<string, number> {
  if (!index.recipe.roots)
    throw new UserError(`${index.folder}: an index of a table. Take an index of image files.`);
  return new Map(Array.from({ length: index.codes.rows }, (_, row) => [fileOf(index, row)!, row]));
}

/** Files that every index has, drawn in the same way for any order of its rows. @throws UserError where there are none */
async function drawQueries(folders: string[], most: number): Promise<string[]> {
  let common: string[] | undefined;
  for (const folder of folders) {
    const rows = rowsOf(await openIndex(folder));
    common = common ? common.filter((path) => rows.has(path)) : [...rows.keys()].sort();
  }
  if (!common?.length)
    throw new UserError(
      `${folders.join(", ")}: no image file is in all of them. Name indexes of the same images.`,
    );
  const drawn = random(1, "queries")
    .shuffle([...common.keys()])
    .slice(0, most);
  return Array.from(drawn, (at) => common[at]);
}

/** The last parts of each path, as many as no other path ends with. */
function titlesOf(folders: string[]): string[] {
  const paths = folders.map((folder) => resolve(folder).split(sep));
  const ending = (path: string[], parts: number) => path.slice(-parts).join("/");
  return paths.map((path) => {
    const others = paths.filter((other) => other.join(sep) !== path.join(sep));
    let parts = 1;
    while (parts < path.length && others.some((other) => ending(other, parts) === ending(path, parts)))
      parts++;
    return ending(path, parts);
  });
}

async function qualityOf(folder: string, title: string, queries: string[]): Promise<Quality> {
  const [index, encoder] = await openWith(folder, ({ files, recipe }) =>
    Encoder.open(files, recipe, availableParallelism()),
  );
  try {
    const { codes, recipe } = index;
    const nearest = new Nearest(index);
    const rowOf = rowsOf(index);
    const rows = queries.map((path) => rowOf.get(path)!);
    const finds: Quality["finds"] = {};
    for (const [name, change] of Object.entries(CHANGES))
      finds[name] = await findsOf(index, encoder, nearest, rows, change);
    return {
      index: title,
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

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      queries: { type: "string", default: "200" },
      out: { type: "string", default: "reports/search" },
    },
  });
  if (positionals.length === 0)
    throw new UserError("node bench/run.mjs search-quality INDEX … [--queries 200] [--out reports/search]");
  if (!/^[1-9]\d{0,8}$/.test(values.queries))
    throw new UserError(`--queries ${values.queries}: a whole number from 1 was expected.`);
  const queries = await drawQueries(positionals, Number(values.queries));
  const titles = titlesOf(positionals);
  const all: Quality[] = [];
  for (const [at, folder] of positionals.entries()) all.push(await qualityOf(folder, titles[at], queries));
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "quality.json"), `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(join(values.out, "quality.md"), textOf(all));
  console.log(textOf(all));
}

try {
  await main();
} catch (error) {
  if (!isUserError(error)) throw error;
  console.error((error as Error).message);
  process.exitCode = 2;
}
