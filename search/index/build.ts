/** `npm run index`: an index of a person's own images. */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type DownloadFolders, type ParamSchema, UserError } from "../../runner/stage.ts";
import { suggest } from "../../runner/text/index.ts";
import itq from "../../stages/encode/binarisers/itq.ts";
import { MOST_BITS } from "../../stages/shared/artifacts/codes.ts";
import { type Projection, project, writeProjection } from "../../stages/shared/artifacts/projection.ts";
import { type Backbone, scalingOf } from "../../stages/shared/backbone.ts";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import { random } from "../../stages/shared/compute/random.ts";
import { ENDINGS } from "../../stages/shared/download/decode.ts";
import { type Download, fetchFile } from "../../stages/shared/download/fetch.ts";
import {
  FILES,
  IndexFiles,
  type Recipe,
  type Root,
  readRecipe,
  seal,
  UNSEALED,
} from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import { Encoder, Features } from "../encoder.ts";
import { namedIndex, PUBLISHED } from "../location.ts";
import { copyEncoder, encodePhotos } from "./encode.ts";
import { checkPlace, replace } from "./place.ts";
import { type Photo, photosOf, rootsOf } from "./roots.ts";
import { Rows, writeRows } from "./rows.ts";
import { Spill } from "./spill.ts";

/** Bits of a code where no number is given. */
export const BITS = 64;

export interface BuildOptions {
  /** Folder of the new index; without it, one in indexes/, see {@link defaultName}. */
  out?: string;
  /** An index whose model encodes the images. */
  like?: string;
  /** Without `like`: a file of stages/shared/backbones/, whose features become bits by itq. */
  backbone?: string;
  /** Of a code, with `backbone`: 1 to 512; without it, 64. */
  bits?: number;
  /** With `backbone`: the folder that is searched for its file first. */
  mirror?: string;
  /** Replace an index of other images. */
  force?: boolean;
  /** Patterns of .gitignore: what they match is passed over. */
  exclude?: string[];
}

/** A backbone by name. @throws UserError when there is none */
async function backboneOf(name: string): Promise<Backbone> {
  try {
    return (await import(`../../stages/shared/backbones/${name}.ts`)).default;
  } catch {
    const names = readdirSync("stages/shared/backbones").map((file) => basename(file, ".ts"));
    throw new UserError(
      `index: no backbone "${name}".${suggest(name, names) || ` There are ${names.join(", ")}.`}`,
    );
  }
}

/** The file that a backbone pins. @throws UserError where it pins none */
function downloadOf(backbone: Backbone): Download {
  if (!backbone.params?.file)
    throw new UserError(
      "index: this backbone is a file of yours, which a pipeline describes. Make the index by its stage index, or name another backbone.",
    );
  const params = backbone.params as Record<string, ParamSchema>;
  return Object.fromEntries(
    ["file", "sha256", "urls"].map((name) => [name, params[name].default]),
  ) as unknown as Download;
}

/** The arguments of {@link seal} without the images. */
type Method = Pick<Recipe, "backbone" | "views" | "image" | "head" | "bits">;

/** The encoded images, and how. */
interface Made {
  rows: Rows;
  method: Method;
}

/** The images of a new index. */
interface Images {
  photos: Photo[];
  roots: Root[];
}

/** Encodes images by the model of another index. @param data where the files of the encoder go */
async function encodeLike(like: string, { photos, roots }: Images, data: string): Promise<Made> {
  const recipe = readRecipe(like);
  const own = new IndexFiles(like, recipe);
  const encoder = await Encoder.open(own, recipe, availableParallelism());
  try {
    await copyEncoder(own, recipe, data);
    const { backbone, views, image, head, bits } = recipe;
    const rows = Rows.empty(bits, photos.length);
    await encodePhotos(photos, roots, image, rows, async (pixels, count) =>
      rows.encode(await encoder.outputs(pixels, count)),
    );
    return { rows, method: { backbone, views, image, head, bits } };
  } finally {
    await encoder.close();
  }
}

/** Encodes images by a backbone's features and itq: no label is needed, nothing is trained. */
async function encodeUntrained(
  name: string,
  bits: number,
  { photos, roots }: Images,
  data: string,
  downloads: DownloadFolders,
  find: (name: string) => Backbone | Promise<Backbone>,
): Promise<Made> {
  await startBackend("wasm");
  const backbone = await find(name);
  const { features, pooling, size } = backbone;
  const said = { progress() {}, log() {}, warn: (line: string) => console.error(`! ${line}`) };
  const model = await fetchFile(downloadOf(backbone), {
    ...said,
    downloads,
    signal: new AbortController().signal,
  });
  copyFileSync(model, join(data, FILES.backbone));
  const method = {
    backbone: { name, ...scalingOf(backbone), ...(features && { features }), ...(pooling && { pooling }) },
    views: [{ size, flip: false }],
    image: { height: size, width: size, channels: 3 },
    head: false,
    bits,
  };
  const rows = Rows.empty(bits, photos.length);
  const extractor = await Features.open(method, model, availableParallelism());
  const vectors = new Spill(join(data, "features.scratch"));
  try {
    await encodePhotos(photos, roots, method.image, rows, async (pixels, count) => {
      const values = await extractor.of(pixels, count);
      if (!values.every(Number.isFinite))
        throw new UserError(`index: ${name} gives features that are not finite: is ${model} the right file?`);
      vectors.add(values, count);
    });
    if (rows.length > 0) writeProjection(join(data, FILES.projection), encodeByItq(vectors, rows));
  } finally {
    await extractor.close();
    vectors.close();
  }
  return { rows, method };
}

/** Images that itq learns from: drawn at random where there are more, for all their features may not fit into memory. */
const LEARNED = 50_000;

/** Fits itq to features and encodes them. @returns the projection */
function encodeByItq(vectors: Spill, rows: Rows): Projection {
  const values = vectors.pick(sampleOf(vectors.rows, LEARNED));
  const sample = { values, rows: values.length / vectors.dim, dim: vectors.dim };
  const projection: Projection = itq.fit(sample, rows.bits, random(1, "binariser"), { iterations: 50 });
  for (const block of vectors.blocks()) rows.encode(project(projection, block));
  return projection;
}

/** So many of the first numbers at random, rising; all where there are no more. */
function sampleOf(all: number, count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: all }, (_, row) => row);
  return all <= count ? numbers : random(1, "sample").shuffle(numbers).slice(0, count).sort();
}

/** The images' folder and what encodes them: another name than `init` gives, so that both may be there. */
function defaultName(images: string, like: string | undefined, backbone: string | undefined): string {
  const name = basename(images) || "images";
  if (like === undefined) return `${name}-${backbone}`;
  return `${name}-like-${basename(basename(like) === PUBLISHED ? dirname(like) : like)}`;
}

/** @throws UserError for options that exclude each other, or bits that no code has */
function checkOptions(paths: string[], { backbone, like, bits = BITS }: BuildOptions): void {
  if (paths.length === 0) throw new UserError("index: no folder and no image is named. Name at least one.");
  if ((like === undefined) === (backbone === undefined))
    throw new UserError(
      "index: name either --like INDEX, whose trained model encodes the images, or --backbone NAME, whose features become bits without training.",
    );
  if (!Number.isInteger(bits) || bits < 1 || bits > MOST_BITS)
    throw new UserError(
      `index: ${shown(String(bits))} bits: a whole number from 1 to ${MOST_BITS} was expected.`,
    );
}

/** @throws UserError where a number of bits is asked for that the model of an index does not have */
function checkBits(like: string, asked: number | undefined): void {
  const { bits } = readRecipe(like);
  if (asked !== undefined && asked !== bits)
    throw new UserError(`index: --bits ${asked}: the model of --like ${shown(like)} has ${bits} bits.`);
}

/** An index that was made. */
export interface Built {
  /** Its folder. */
  folder: string;
  images: number;
  /** Of a code. */
  bits: number;
  /** Images that could not be read. */
  failed: number;
}

/**
 * Makes an index of the images of folders. The standard error tells the images that are left out.
 * @param root the project's folder; @param from the folder that paths start at; @param find a backbone by its name
 * @throws UserError when an option is invalid, no image can be read, or the folder holds anything else
 */
export async function build(
  paths: string[],
  options: BuildOptions,
  root: string,
  from: string,
  find: (name: string) => Backbone | Promise<Backbone> = backboneOf,
): Promise<Built> {
  checkOptions(paths, options);
  const { bits = BITS, backbone, force = false, exclude = [] } = options;
  const given = paths.map((path) => resolve(from, path));
  const roots = rootsOf(given, exclude);
  const photos = roots.flatMap((_, at) => photosOf(roots, at));
  if (photos.length === 0)
    throw new UserError(
      `${given.map(shown).join(", ")}: no images (${ENDINGS.join(", ")}) are in it${exclude.length > 0 ? " but those that --exclude names" : ""}.`,
    );
  const like = options.like === undefined ? undefined : namedIndex(options.like, root, from);
  if (like !== undefined) checkBits(like, options.bits);
  const out = options.out
    ? resolve(from, options.out)
    : join(root, "indexes", defaultName(given[0], like, backbone));
  await checkPlace(
    out,
    roots.map(({ path }) => path),
    force,
  );
  let made: Pick<Built, "images" | "bits"> | undefined;
  await replace(out, async (scratch) => {
    const data = join(scratch, UNSEALED);
    mkdirSync(data);
    const mirror = options.mirror === undefined ? undefined : resolve(from, options.mirror);
    const downloads = { kept: join(root, "cache/downloads"), mirror };
    const { method, rows } = like
      ? await encodeLike(like, { photos, roots }, data)
      : await encodeUntrained(backbone!, bits, { photos, roots }, data, downloads, find);
    if (rows.length === 0) throw new UserError("index: not one image could be read.");
    const classes = writeRows(data, rows);
    await seal(scratch, { ...method, classes, images: rows.length, roots });
    made = { images: rows.length, bits: method.bits };
  });
  return { folder: out, ...made!, failed: photos.length - made!.images };
}
