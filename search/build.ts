/** `npm run index`: an index of a person's own images. */
import { copyFileSync, cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { type DownloadFolders, type ParamSchema, UserError } from "../runner/stage.ts";
import { suggest } from "../runner/text/index.ts";
import itq from "../stages/encode/binarisers/itq.ts";
import { MOST_BITS, packSigns, writeCodes } from "../stages/shared/artifacts/codes.ts";
import { directions, writeOutputs } from "../stages/shared/artifacts/outputs.ts";
import { type Projection, project, writeProjection } from "../stages/shared/artifacts/projection.ts";
import type { Backbone } from "../stages/shared/backbone.ts";
import { startBackend } from "../stages/shared/compute/backend.ts";
import { random } from "../stages/shared/compute/random.ts";
import { type Download, fetchFile } from "../stages/shared/download/fetch.ts";
import {
  contentOf,
  FILES,
  IndexFiles,
  type Recipe,
  readRecipe,
  seal,
  UNSEALED,
} from "../stages/shared/search-index.ts";
import { BATCH, Encoder, Features } from "./encoder.ts";
import { namedIndex, PUBLISHED } from "./location.ts";
import { type Photos, photosIn, readImage } from "./photos.ts";
import { checkPlace, replace } from "./place.ts";

export interface BuildOptions {
  /** Folder of the new index; without it, one in indexes/, see {@link defaultName}. */
  out?: string;
  /** An index whose model encodes the images. */
  like?: string;
  /** Without `like`: a file of stages/shared/backbones/, whose features become bits by itq. */
  backbone?: string;
  bits: number;
  /** With `backbone`: the folder that is searched for its file first. */
  mirror?: string;
  /** Replace an index of other images. */
  force?: boolean;
}

/** A backbone by name. @throws UserError when there is none */
async function backboneOf(name: string): Promise<Backbone> {
  try {
    return (await import(`../stages/shared/backbones/${name}.ts`)).default;
  } catch {
    const names = readdirSync("stages/shared/backbones").map((file) => basename(file, ".ts"));
    throw new UserError(
      `index: no backbone "${name}".${suggest(name, names) || ` There are ${names.join(", ")}.`}`,
    );
  }
}

/** The file that a backbone pins. */
function downloadOf(backbone: Backbone): Download {
  const params = backbone.params as Record<string, ParamSchema>;
  return Object.fromEntries(
    ["file", "sha256", "urls"].map((name) => [name, params[name].default]),
  ) as unknown as Download;
}

/** What a batch of images becomes; its rows are kept. */
type Visit = (pixels: Uint8Array, count: number) => Promise<Float32Array>;

/** The images that could be read, in order, with what was made of them and who they are. */
interface Made {
  read: string[];
  values: Float32Array;
  contents: Uint8Array;
}

/** Reads images batch by batch; unreadable ones are left out and said. @throws UserError when none can be read */
async function forEachBatch(files: string[], image: Recipe["image"], visit: Visit): Promise<Made> {
  const bytes = image.height * image.width * image.channels;
  const read: string[] = [];
  const values: Float32Array[] = [];
  const contents: Uint8Array[] = [];
  for (let first = 0; first < files.length; first += BATCH) {
    const group = files.slice(first, first + BATCH);
    const images = await Promise.allSettled(group.map((file) => readImage(file, image)));
    const pixels = new Uint8Array(BATCH * bytes);
    let count = 0;
    for (const [i, one] of images.entries()) {
      if (one.status === "fulfilled") {
        pixels.set(one.value, bytes * count++);
        read.push(group[i]);
        contents.push(contentOf(one.value));
      } else console.error(`! ${one.reason.message} It is left out.`);
    }
    if (count > 0) values.push((await visit(pixels.subarray(0, count * bytes), count)).slice());
    if (process.stderr.isTTY) process.stderr.write(`\r${first + group.length} of ${files.length} images`);
  }
  if (process.stderr.isTTY) process.stderr.write("\n");
  if (read.length === 0) throw new UserError("index: not one image could be read.");
  return { read, values: concatenated(values), contents: Buffer.concat(contents) };
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

/** What {@link seal} is told but for what the images are. */
type Method = Pick<Recipe, "backbone" | "views" | "image" | "head" | "bits">;

/** Outputs of the images by the model of another index. @param data where the files of the encoder go */
async function encodeLike(like: string, files: string[], data: string): Promise<Made & { method: Method }> {
  const recipe = readRecipe(like);
  const own = new IndexFiles(like, recipe);
  const encoder = await Encoder.open(own, recipe, availableParallelism());
  try {
    for (const name of [FILES.backbone, FILES.projection])
      copyFileSync(await own.path(name), join(data, name));
    if (recipe.head) cpSync(await own.head(), join(data, FILES.head), { recursive: true });
    const { backbone, views, image, head, bits } = recipe;
    const made = await forEachBatch(files, image, (pixels, count) => encoder.outputs(pixels, count));
    return { ...made, method: { backbone, views, image, head, bits } };
  } finally {
    await encoder.close();
  }
}

/** Outputs of the images by a backbone's features and itq: no label is needed, nothing is trained. */
async function encodeUntrained(
  name: string,
  bits: number,
  files: string[],
  data: string,
  downloads: DownloadFolders,
): Promise<Made & { method: Method }> {
  await startBackend("wasm");
  const backbone = await backboneOf(name);
  const { mean, std, features, size } = backbone;
  const said = { progress() {}, log() {}, warn: (line: string) => console.error(`! ${line}`) };
  const model = await fetchFile(downloadOf(backbone), {
    ...said,
    downloads,
    signal: new AbortController().signal,
  });
  copyFileSync(model, join(data, FILES.backbone));
  const method = {
    backbone: { name, mean, std, ...(features === undefined ? {} : { features }) },
    views: [{ size, flip: false }],
    image: { height: size, width: size, channels: 3 },
    head: false,
    bits,
  };
  const extractor = await Features.open(method, model, availableParallelism());
  let made: Made;
  try {
    made = await forEachBatch(files, method.image, (pixels, count) => extractor.of(pixels, count));
  } finally {
    await extractor.close();
  }
  const { values, read } = made;
  if (!values.every(Number.isFinite))
    throw new UserError(`index: ${name} gives features that are not finite: is ${model} the right file?`);
  const sample = { values, rows: read.length, dim: values.length / read.length };
  const projection: Projection = itq.fit(sample, bits, random(1, "binariser"), {
    iterations: 50,
  });
  writeProjection(join(data, FILES.projection), projection);
  return { ...made, values: project(projection, values), method };
}

/** Writes the codes, what is behind them, and what the images are called. @param root that their names start at */
function writeRows(
  data: string,
  root: string,
  classOf: Photos["classOf"],
  { read, values, contents }: Made,
  bits: number,
): string[] {
  const labels = read.map(classOf);
  const classes = [...new Set(labels)].sort();
  const codes = {
    ids: Uint32Array.from(read, (_, row) => row),
    labels: Uint16Array.from(labels, (name) => classes.indexOf(name)),
    values: packSigns(values, bits),
    rows: read.length,
    bits,
    classes,
  };
  writeCodes(join(data, FILES.codes), codes);
  writeOutputs(join(data, FILES.outputs), codes, directions(values, bits, "index"));
  writeFileSync(join(data, FILES.contents), contents);
  const names = read.map((file) => relative(root, file).replaceAll(sep, "/"));
  writeFileSync(join(data, FILES.names), `${JSON.stringify(names, null, 1)}\n`);
  return classes;
}

/** The images' folder and what encodes them: another name than `init` gives, so that both may be there. */
function defaultName(images: string, like: string | undefined, backbone: string | undefined): string {
  const name = basename(images) || "images";
  if (like === undefined) return `${name}-${backbone}`;
  return `${name}-like-${basename(basename(like) === PUBLISHED ? dirname(like) : like)}`;
}

/** Makes an index of a folder's images. @param from the folder that paths start at */
export async function build(path: string, options: BuildOptions, root: string, from: string): Promise<void> {
  const { bits, backbone, force = false } = options;
  if (!Number.isInteger(bits) || bits < 1 || bits > MOST_BITS)
    throw new UserError(`index: --bits ${bits}: a code has a whole number of bits from 1 to ${MOST_BITS}.`);
  if ((options.like === undefined) === (backbone === undefined))
    throw new UserError(
      "index: name either --like INDEX, whose trained model encodes the images, or --backbone NAME, whose features become bits without training.",
    );
  const given = resolve(from, path);
  const { files, classOf } = photosIn(given);
  const images = statSync(given).isDirectory() ? given : dirname(given);
  const like = options.like === undefined ? undefined : namedIndex(options.like, root, from);
  const out = options.out
    ? resolve(from, options.out)
    : join(root, "indexes", defaultName(given, like, backbone));
  await checkPlace(out, images, force);
  let told = "";
  await replace(out, async (scratch) => {
    const data = join(scratch, UNSEALED);
    mkdirSync(data);
    const mirror = options.mirror === undefined ? undefined : resolve(from, options.mirror);
    const downloads = { kept: join(root, "cache/downloads"), mirror };
    const { method, ...made } = like
      ? await encodeLike(like, files, data)
      : await encodeUntrained(backbone!, bits, files, data, downloads);
    const classes = writeRows(data, images, classOf, made, method.bits);
    await seal(scratch, { ...method, classes, images: made.read.length, root: images });
    told = `${made.read.length} images, ${method.bits} bits each`;
  });
  const shown = relative(from, out);
  const index = shown === "" || shown.startsWith("..") ? out : shown;
  console.log(`${out}: ${told}. Search it: npm run search -- IMAGE --index ${index}`);
}
