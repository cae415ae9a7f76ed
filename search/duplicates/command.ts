/** `duplicates`: groups of photos that are the same, or nearly. It deletes nothing. */
import { resolve } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { counted, size } from "../../runner/text/index.ts";
import { shown } from "../../stages/shared/text.ts";
import { BATCH } from "../encoder.ts";
import { galleryFile, writeGallery } from "../gallery.ts";
import { stampOf } from "../index/stamp.ts";
import { namedIndex } from "../location.ts";
import { fileOf, openIndex } from "../opened.ts";
import type { OutputFile } from "../output-file.ts";
import { imageFiles, readImage } from "../photos.ts";
import { pictureOf } from "../pictures.ts";
import { Progress } from "../progress.ts";
import { DEFAULT, findGroups, type Member, type Thumb } from "./find.ts";
import { withoutLinks } from "./links.ts";
import { SIDE } from "./views.ts";

export interface DuplicateOptions {
  /** The index whose files are compared. */
  index?: string;
  /** Least correlation of near duplicates, 0 to 1. */
  similarity?: number;
  json?: boolean;
  /** File of the page to write. */
  html?: string;
}

const THUMB = { height: SIDE, width: SIDE, channels: 1, fit: "fill" } as const;

async function thumbOf(path: string): Promise<Thumb> {
  const { bytes, sha256 } = stampOf(path);
  return { path, bytes, sha256, grey: await readImage(path, THUMB) };
}

/** Thumbnails of the images that can be read. @param failed is told of each other */
async function thumbsOf(paths: string[], failed: (reason: string) => void): Promise<Thumb[]> {
  const thumbs: Thumb[] = [];
  const progress = new Progress(paths.length, "images read");
  for (let first = 0; first < paths.length; first += BATCH) {
    const group = paths.slice(first, first + BATCH);
    for (const one of await Promise.allSettled(group.map(thumbOf)))
      if (one.status === "fulfilled") thumbs.push(one.value);
      else failed(one.reason.message);
    progress.advance(group.length);
  }
  progress.end();
  return thumbs;
}

/** The files of an index. @throws UserError where it is of a data set */
async function filesOf(folder: string): Promise<string[]> {
  const index = await openIndex(folder);
  if (!index.recipe.roots)
    throw new UserError(
      `duplicates: ${folder} is of a data set, not of files. Name a folder of images, or an index of one.`,
    );
  return Array.from(index.names!, (_, row) => fileOf(index, row)!);
}

const captionOf = ({ kind, similarity, bytes }: Member): string =>
  `${kind === "exact" ? "the same file" : kind === "near" ? `nearly the same, ${similarity}` : "the largest file"} · ${size(bytes)}`;

/** The page of the groups: the largest file of each, and the others beside it. */
async function writePage(file: OutputFile, groups: Member[][]): Promise<void> {
  const figure = async (member: Member) => ({
    picture: await pictureOf(member.path),
    name: member.path,
    caption: captionOf(member),
  });
  const sections = [];
  for (const [first, ...others] of groups) {
    const found = [];
    for (const other of others) found.push(await figure(other));
    sections.push({ query: await figure(first), found });
  }
  writeGallery(file, `${counted(groups.length, "group")} of duplicates`, sections);
}

function* textOf(groups: Member[][], compared: number): Generator<string> {
  for (const [place, group] of groups.entries()) {
    yield `group ${place + 1}`;
    for (const member of group) yield `  ${shown(member.path)}  (${captionOf(member)})`;
  }
  const spare = groups.flatMap((group) => group.slice(1));
  const bytes = spare.reduce((sum, member) => sum + member.bytes, 0);
  yield groups.length === 0
    ? `No duplicates among ${counted(compared, "image")}.`
    : `${counted(groups.length, "group")} among ${counted(compared, "image")}; all but the largest file of each: ${counted(spare.length, "file")}, ${size(bytes)}. Nothing was deleted.`;
}

/**
 * Finds the duplicates of folders, or of the files of an index.
 * @param from the folder that paths start at
 * @returns the exit code: 2 when an image could not be read
 */
export async function duplicates(
  paths: string[],
  { index, similarity = DEFAULT.correlation, json, html }: DuplicateOptions,
  root: string,
  from: string,
): Promise<number> {
  if (paths.length === 0 && index === undefined)
    throw new UserError("duplicates: name a folder of images, or an index with --index.");
  const folder = index === undefined ? undefined : namedIndex(index, root, from);
  const page =
    html === undefined ? undefined : galleryFile("duplicates: --html", resolve(from, html), folder);
  const named = paths.flatMap((path) => imageFiles(resolve(from, path)));
  if (folder !== undefined) for (const file of await filesOf(folder)) named.push(file);
  const { files, links } = withoutLinks(named);
  if (links > 0)
    console.error(
      `! ${counted(links, "link")} to files that are compared, which are no copies: passed over.`,
    );
  const faults: string[] = [];
  const thumbs = await thumbsOf(files, (fault) => faults.push(fault));
  const progress = new Progress(thumbs.length, "images compared");
  const groups = findGroups(thumbs, { ...DEFAULT, correlation: similarity }, () => progress.advance(1));
  progress.end();
  if (json)
    console.log(
      JSON.stringify(
        groups.map((group) => ({
          images: group.map(({ path, ...rest }) => ({ image: path, ...rest })),
        })),
        null,
        2,
      ),
    );
  else for (const line of textOf(groups, thumbs.length)) console.log(line);
  for (const fault of faults) console.error(`! ${fault} It was not compared.`);
  if (page) await writePage(page, groups);
  return faults.length > 0 ? 2 : 0;
}
