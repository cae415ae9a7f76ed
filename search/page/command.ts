/** `page`: a folder with a page that searches an index in the browser. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isWithin, realPlace, scratchName } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import { size } from "../../runner/text/index.ts";
import { shown } from "../../stages/shared/text.ts";
import { exportEncoder } from "../export/onnx/export.ts";
import { checkFolder } from "../index/place.ts";
import { indexFolder, PUBLISHED } from "../location.ts";
import { type Index, openIndex } from "../opened.ts";
import { type About, FILES } from "./format.ts";
import { pageHtml } from "./html.ts";
import { readScripts, runtimeFolder } from "./scripts.ts";
import { writeThumbnails } from "./thumbnails.ts";

export interface PageOptions {
  index?: string;
  /** The folder. */
  out: string;
}

/** Images that the encoder is compared on. */
const COMPARED = 16;
/** Where the page of `deephash serve` has its style, from the folder of the package. */
const CLIENT = "search/serve/client";

/** The name of an image for others: never its place on this machine. */
function nameOf({ recipe: { roots: folders }, names, roots, codes }: Index, row: number): string {
  const name = String(names?.at(row) ?? codes.ids[row]);
  return folders && folders.length > 1 ? `${basename(folders[roots![row]].path)}/${name}` : name;
}

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Writes the index as the worker reads it. */
function writeData(folder: string, index: Index): void {
  const { codes, outputs, contents, recipe, folder: path } = index;
  const name = basename(path) === PUBLISHED ? basename(dirname(path)) : basename(path);
  const about: About = {
    index: name,
    bits: codes.bits,
    classes: codes.classes,
    image: recipe.image,
    names: Array.from({ length: codes.rows }, (_, row) => nameOf(index, row)),
  };
  writeFileSync(join(folder, FILES.about), JSON.stringify(about));
  writeFileSync(join(folder, FILES.codes), codes.values);
  writeFileSync(join(folder, FILES.outputs), bytes(outputs));
  writeFileSync(join(folder, FILES.contents), contents);
  writeFileSync(join(folder, FILES.labels), bytes(codes.labels));
}

/** Fills the folder. @returns how many images have no thumbnail */
async function fill(folder: string, index: Index): Promise<number> {
  mkdirSync(join(folder, dirname(FILES.about)), { recursive: true });
  const runtime = join(runtimeFolder(), FILES.runtime);
  const { page, worker } = await readScripts();
  writeFileSync(join(folder, FILES.page), pageHtml());
  writeFileSync(join(folder, FILES.script), page);
  writeFileSync(join(folder, FILES.worker), worker);
  copyFileSync(join(CLIENT, FILES.style), join(folder, FILES.style));
  copyFileSync(join(CLIENT, FILES.icon), join(folder, FILES.icon));
  copyFileSync(runtime, join(folder, FILES.runtime));
  writeFileSync(join(folder, FILES.encoder), (await exportEncoder(index, "bytes", COMPARED)).bytes);
  writeData(folder, index);
  return writeThumbnails(folder, index);
}

/** Bytes of all files but the thumbnails. */
const bytesOf = (folder: string): number =>
  Object.values(FILES).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

/**
 * Writes the page into a new folder, in one step.
 * @param from the folder that paths start at
 * @throws UserError when the folder is there and holds anything
 */
export async function writePage(
  { index: given, out }: PageOptions,
  root: string,
  from: string,
): Promise<void> {
  const folder = resolve(from, out);
  const told = `page: --out ${shown(folder)}`;
  checkFolder(folder, told, "Name a new folder.");
  const isThere = existsSync(folder);
  if (isThere && readdirSync(folder).length > 0)
    throw new UserError(`${told} is there already and not empty. Name another folder.`);
  const source = indexFolder(given, root, from);
  if (isWithin(realPlace(folder), realPlace(source)))
    throw new UserError(
      `${told} is in the folder of the index, which holds nothing but its own files. Name a folder elsewhere.`,
    );
  const index = await openIndex(source);
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = join(dirname(folder), scratchName("page"));
  try {
    mkdirSync(scratch);
    const missing = await fill(scratch, index);
    if (isThere) rmdirSync(folder);
    renameSync(scratch, folder);
    if (missing > 0)
      console.error(
        `! ${missing} of ${index.codes.rows} images have no thumbnail: they were moved, deleted or are unreadable.`,
      );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(
    `${shown(folder)}: ${index.codes.rows} images, ${size(bytesOf(folder))} besides the thumbnails. Put it on any web server, or try it: cd ${shown(folder)} && python3 -m http.server 8000`,
  );
}
