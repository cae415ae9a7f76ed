/** `npm run index`: an index of a person's own images. */
import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type ParamSchema, UserError } from "../runner/stage.ts";
import type { Binariser } from "../stages/encode/binariser.ts";
import itq from "../stages/encode/binarisers/itq.ts";
import type { Backbone } from "../stages/shared/backbone.ts";
import { MOST_BITS, packSigns, writeCodes } from "../stages/shared/codes.ts";
import { startBackend } from "../stages/shared/compute.ts";
import { type Download, fetchFile } from "../stages/shared/fetch.ts";
import { type Projection, project, writeProjection } from "../stages/shared/projection.ts";
import { random } from "../stages/shared/random.ts";
import { FILES, type Recipe, readRecipe, writeRecipe } from "../stages/shared/searchable.ts";
import { BATCH, Encoder, Features } from "./encoder.ts";
import { indexIn } from "./location.ts";
import { classOf, imageFiles, readImage } from "./photos.ts";

export interface BuildOptions {
  /** Folder of the new index; without it, indexes/ and the name of the images' folder. */
  out?: string;
  /** An index whose model encodes the images. */
  like?: string;
  /** Without `like`: a file of stages/shared/backbones/, whose features become bits by itq. */
  backbone?: string;
  bits: number;
}

/** A backbone by name. @throws UserError when there is none */
async function backboneOf(name: string): Promise<Backbone> {
  try {
    return (await import(`../stages/shared/backbones/${name}.ts`)).default;
  } catch {
    throw new UserError(`index: there is no backbone "${name}" in stages/shared/backbones/.`);
  }
}

/** The file that a backbone pins. */
function downloadOf(backbone: Backbone): Download {
  const params = backbone.params as Record<string, ParamSchema>;
  return Object.fromEntries(
    ["file", "sha256", "urls"].map((name) => [name, params[name].default]),
  ) as unknown as Download;
}

/** What was read of the images, in order; unreadable ones are left out and said. */
async function forEachBatch(
  files: string[],
  image: Recipe["image"],
  visit: (pixels: Uint8Array, count: number) => Promise<void>,
): Promise<string[]> {
  const bytes = image.height * image.width * image.channels;
  const read: string[] = [];
  for (let first = 0; first < files.length; first += BATCH) {
    const group = files.slice(first, first + BATCH);
    const images = await Promise.allSettled(group.map((file) => readImage(file, image)));
    const pixels = new Uint8Array(BATCH * bytes);
    let count = 0;
    for (const [i, one] of images.entries()) {
      if (one.status === "fulfilled") {
        pixels.set(one.value, bytes * count++);
        read.push(group[i]);
      } else console.error(`! ${one.reason.message} It is left out.`);
    }
    if (count > 0) await visit(pixels.subarray(0, count * bytes), count);
    if (process.stderr.isTTY) process.stderr.write(`\r${first + group.length} of ${files.length} images`);
  }
  if (process.stderr.isTTY) process.stderr.write("\n");
  if (read.length === 0) throw new UserError("index: not one image could be read.");
  return read;
}

const concatenated = (parts: Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** Codes of the images by the model of another index. */
async function encodeLike(like: string, files: string[], folder: string) {
  const whole = readRecipe(like);
  const { images: _, classes: __, encoder: ___, ...recipe } = whole;
  copyFileSync(join(like, FILES.backbone), join(folder, FILES.backbone));
  copyFileSync(join(like, FILES.projection), join(folder, FILES.projection));
  if (recipe.head) cpSync(join(like, FILES.head), join(folder, FILES.head), { recursive: true });
  const encoder = await Encoder.open(like, whole, availableParallelism());
  const codes: Uint8Array[] = [];
  try {
    const read = await forEachBatch(files, recipe.image, async (pixels, count) => {
      codes.push(await encoder.encode(pixels, count));
    });
    return { recipe, read, codes: new Uint8Array(Buffer.concat(codes)) };
  } finally {
    await encoder.close();
  }
}

/** Codes of the images by a backbone's features and itq: no label is needed, nothing is trained. */
async function encodeUntrained(name: string, bits: number, files: string[], folder: string) {
  await startBackend("wasm");
  const backbone = await backboneOf(name);
  const { mean, std, features, size } = backbone;
  const said = { progress() {}, log() {}, warn: (line: string) => console.error(`! ${line}`) };
  const model = await fetchFile(downloadOf(backbone), { ...said, signal: new AbortController().signal });
  copyFileSync(model, join(folder, FILES.backbone));
  const recipe = {
    backbone: { name, mean, std, ...(features === undefined ? {} : { features }) },
    views: [{ size, flip: false }],
    image: { height: size, width: size, channels: 3 },
    head: false,
    bits,
  };
  const extractor = await Features.open(recipe, model, availableParallelism());
  const parts: Float32Array[] = [];
  let read: string[];
  try {
    read = await forEachBatch(files, recipe.image, async (pixels, count) => {
      parts.push((await extractor.of(pixels, count)).slice());
    });
  } finally {
    await extractor.close();
  }
  const values = concatenated(parts);
  const sample = { values, rows: read.length, dim: values.length / read.length };
  const projection: Projection = (itq as Binariser).fit(sample, bits, random(1, "binariser"), {
    iterations: 50,
  });
  writeProjection(join(folder, FILES.projection), projection);
  return { recipe, read, codes: packSigns(project(projection, values), bits) };
}

/** Makes an index of a folder's images. @param from the folder that paths start at */
export async function build(path: string, options: BuildOptions, root: string, from: string): Promise<void> {
  const { bits } = options;
  if (!Number.isInteger(bits) || bits < 1 || bits > MOST_BITS)
    throw new UserError(`index: --bits ${bits}: a code has a whole number of bits from 1 to ${MOST_BITS}.`);
  if ((options.like === undefined) === (options.backbone === undefined))
    throw new UserError(
      "index: name either --like INDEX, whose trained model encodes the images, or --backbone NAME, whose features become bits without training.",
    );
  const images = resolve(from, path);
  const files = imageFiles(images);
  const out = options.out ? resolve(from, options.out) : join(root, "indexes", basename(images));
  if (existsSync(out) && !existsSync(join(out, FILES.recipe)))
    throw new UserError(`${out}: there is something else. Name another folder with --out, or take it away.`);
  const scratch = `${out}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const { recipe, read, codes } = options.like
      ? await encodeLike(indexIn(resolve(from, options.like)), files, scratch)
      : await encodeUntrained(options.backbone!, bits, files, scratch);
    const names = read.map((file) => classOf(images, file));
    const classes = [...new Set(names)].sort();
    writeCodes(join(scratch, FILES.codes), {
      ids: Uint32Array.from(read, (_, row) => row),
      labels: Uint16Array.from(names, (name) => classes.indexOf(name)),
      values: codes,
      rows: read.length,
      bits: recipe.bits,
      classes,
    });
    writeFileSync(join(scratch, FILES.paths), `${JSON.stringify(read, null, 1)}\n`);
    writeRecipe(scratch, { ...recipe, classes, images: read.length });
    rmSync(out, { recursive: true, force: true });
    mkdirSync(dirname(out), { recursive: true });
    renameSync(scratch, out);
    console.log(
      `${out}: ${read.length} images, ${recipe.bits} bits each. Search it: npm run search -- IMAGE --index ${out}`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
