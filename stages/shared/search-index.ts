/**
 * An index on disk: a folder with all that it takes to encode one more image and to find those like it.
 *
 * `index.json` says how; all else lies in one folder beside it, named after its own list of files (`files.json`), which
 * holds the size and hash of each. So one rename of `index.json` replaces an index, and each file can be checked.
 */
import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../runner/stage.ts";
import { checkJson, readJson } from "./artifacts/schema.ts";
import type { Backbone } from "./backbone.ts";
import type { Shape } from "./download/decode.ts";

/** One way to show an image to the backbone. */
export interface View {
  /** Side in pixels. */
  size: number;
  /** Features are the mean over the image and its mirror image. */
  flip: boolean;
}

/** A folder whose images are in an index. */
export interface Root {
  /** Absolute. */
  path: string;
  /** Patterns of .gitignore: what they match is not taken. */
  exclude?: string[];
  /** Files and folders below it that a person removed from the index. */
  removed?: string[];
  /** The files that are taken, where a person named files and not the folder. */
  only?: string[];
}

/** index.json. */
export interface Recipe {
  format: typeof FORMAT;
  backbone: { name: string } & Pick<Backbone, "mean" | "std" | "resampling" | "features" | "pooling">;
  /** The features of an image are the mean over these. */
  views: View[];
  /** The shape that an image gets before its views are made. */
  image: Shape;
  /** Whether a trained head comes before the projection. */
  head: boolean;
  bits: number;
  classes: string[];
  images: number;
  /** Where the images are files: the folders that their names start at. */
  roots?: Root[];
  /** See {@link encoderHash}. */
  encoder: string;
  /** sha256 of files.json. */
  files: string;
}

/** The fields that {@link seal} adds. */
type Unsealed = Omit<Recipe, "format" | "encoder" | "files">;

/** files.json: the size and hash of each file, by its path below the folder of data. */
export type FileList = Record<string, { bytes: number; sha256: string }>;

const FORMAT = 3;

/** Files of an index: index.json, and beside it a folder with all others. */
export const FILES = {
  recipe: "index.json",
  list: "files.json",
  backbone: "backbone.onnx",
  head: "model",
  projection: "projection.arrow",
  codes: "codes.arrow",
  /** The projected images, whose signs are the codes: vectors of float16, in the codes' order. */
  outputs: "outputs.arrow",
  /** See {@link contentOf}: one after the other, in the codes' order. */
  contents: "contents.bin",
  /** The images themselves, where they are a table. */
  pixels: "images.arrow",
  /** The names of the images, in the codes' order; none where a table has no names. */
  names: "names.json",
  /** Of files: the root, size, time and hash of each, in the codes' order. */
  photos: "photos.arrow",
};

const HEAD_FILES = ["head.json", "model.json", "weights.bin"].map((file) => `${FILES.head}/${file}`);

/** The folder that is filled before {@link seal} gives it its name. */
export const UNSEALED = "data";

/** Bytes of what {@link contentOf} tells. */
export const CONTENT_BYTES = 16;

/** The identity of an image, independent of its file's name: the first half of the sha256 of its pixels as they are encoded. */
export const contentOf = (pixels: Uint8Array): Uint8Array =>
  createHash("sha256").update(pixels).digest().subarray(0, CONTENT_BYTES);

/** Name of the folder of data with this files.json. */
export const folderOf = (files: string): string => `data-${files.slice(0, 16)}`;

/** All files of an index but index.json that it must have. */
const needed = ({ head, roots }: Pick<Recipe, "head" | "roots">): string[] => [
  FILES.backbone,
  FILES.projection,
  FILES.codes,
  FILES.outputs,
  FILES.contents,
  ...(roots === undefined ? [FILES.pixels] : [FILES.names, FILES.photos]),
  ...(head ? HEAD_FILES : []),
];

/** Hash of all that makes a code of an image: two indexes with the same one have comparable codes. */
export function encoderHash(
  recipe: Pick<Recipe, "backbone" | "views" | "image" | "head">,
  list: FileList,
): string {
  const { backbone, views, image, head } = recipe;
  const files = [FILES.backbone, FILES.projection, ...(head ? HEAD_FILES : [])];
  return sha256(JSON.stringify([backbone, views, image, files.map((file) => list[file].sha256)]));
}

const sha256 = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Makes an index of a folder whose {@link UNSEALED} folder holds all its files: lists them, writes index.json. */
export async function seal(folder: string, recipe: Unsealed): Promise<void> {
  const data = join(folder, UNSEALED);
  const list: FileList = {};
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(data.length + 1).replaceAll(sep, "/");
    list[name] = { bytes: lstatSync(path).size, sha256: await hashOf(path) };
  }
  const names = Object.keys(list).sort();
  const text = `${JSON.stringify(Object.fromEntries(names.map((name) => [name, list[name]])), null, 2)}\n`;
  checkJson(list, "index-files", join(data, FILES.list));
  writeFileSync(join(data, FILES.list), text);
  const files = sha256(text);
  renameSync(data, join(folder, folderOf(files)));
  const whole: Recipe = { format: FORMAT, ...recipe, encoder: encoderHash(recipe, list), files };
  const path = join(folder, FILES.recipe);
  checkJson(whole, "index", path);
  writeFileSync(path, `${JSON.stringify(whole, null, 2)}\n`);
}

const AGAIN = 'Make the index again: npm run index -- FOLDER, or its pipeline with the stage "index".';

/** The size of a file; undefined where there is none, or anything else (a link, a folder, a device). */
function sizeOf(path: string): number | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isFile() ? stats.size : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined; // in a file
    throw error;
  }
}

/** index.json and files.json are read whole: no index has one of this size. */
const LONGEST_JSON = 64 << 20;

/** Reads index.json. @throws UserError when the folder is no index, or one of an earlier version */
export function readRecipe(folder: string): Recipe {
  const path = join(folder, FILES.recipe);
  const size = sizeOf(path);
  if (size === undefined)
    throw new UserError(
      `${folder}: no index (index.json is missing). Make one: npm run index -- FOLDER, or a pipeline with the stage "index".`,
    );
  if (size > LONGEST_JSON) throw new UserError(`${path}: ${size} bytes, too large for an index. ${AGAIN}`);
  const format = formatOf(path);
  if (format !== FORMAT)
    throw new UserError(
      `${folder}: an index of another version (format ${format}; this one reads ${FORMAT}, which records the files of the images). ${AGAIN}`,
    );
  return readJson<Recipe>(path, "index");
}

/** The format of an index.json: the first format has no such field. Anything else is left to the check. */
function formatOf(path: string): unknown {
  try {
    const found = JSON.parse(readFileSync(path, "utf8"));
    return "encoder" in found ? (found.format ?? 1) : FORMAT;
  } catch {
    return FORMAT;
  }
}

/** sha256 of the files.json of a folder of data. @throws UserError when it has none */
export function listSum(data: string): string {
  const path = join(data, FILES.list);
  const size = sizeOf(path);
  if (size === undefined) throw new UserError(`${path}: missing, or no plain file. ${AGAIN}`);
  if (size > LONGEST_JSON) throw new UserError(`${path}: ${size} bytes, too large for a list. ${AGAIN}`);
  return sha256(readFileSync(path));
}

/**
 * Reads files.json of a folder of data.
 * @param sum its sha256 @throws UserError when it is missing or another one
 */
export function readList(data: string, sum: string): FileList {
  const path = join(data, FILES.list);
  if (listSum(data) !== sum)
    throw new UserError(`${path}: not the list of this index (its hash is another). ${AGAIN}`);
  return readJson<FileList>(path, "index-files");
}

/** How a file differs from its entry in a list; undefined where it is the same. */
export async function faultOf(data: string, name: string, list: FileList): Promise<string | undefined> {
  const path = join(data, name);
  const size = sizeOf(path);
  const { bytes, sha256 } = list[name];
  if (size === undefined) return `${path}: missing, or no plain file.`;
  if (size !== bytes) return `${path}: ${size} bytes, but the index was made with ${bytes}.`;
  return (await hashOf(path)) === sha256 ? undefined : `${path}: changed since the index was made.`;
}

/** The files of an index, each checked before its path is told. */
export class IndexFiles {
  private readonly data: string;
  private readonly list: FileList;

  /** @throws UserError when a file is not listed that must be, or what makes codes is not what index.json was written with */
  constructor(folder: string, recipe: Recipe) {
    this.data = join(folder, folderOf(recipe.files));
    this.list = readList(this.data, recipe.files);
    for (const name of needed(recipe))
      if (!this.list[name])
        throw new UserError(`${join(this.data, name)}: the index has no such file. ${AGAIN}`);
    if (encoderHash(recipe, this.list) !== recipe.encoder)
      throw new UserError(
        `${join(folder, FILES.recipe)}: its backbone, views, image or encoder are not those that the index was made with. ${AGAIN}`,
      );
  }

  has(name: string): boolean {
    return this.list[name] !== undefined;
  }

  /** @throws UserError when the file is not the one that the index was made with */
  async path(name: string): Promise<string> {
    const fault = await faultOf(this.data, name, this.list);
    if (fault) throw new UserError(`${fault} ${AGAIN}`);
    return join(this.data, name);
  }

  /** The folder of the head, whose every file is checked. @throws UserError as {@link path} does */
  async head(): Promise<string> {
    for (const name of HEAD_FILES) await this.path(name);
    return join(this.data, FILES.head);
  }
}
