/** The answers of a search, as one page with the images in it. */
import { closeSync, openSync, readSync } from "node:fs";
import { type OutputFile, placeOf, writeWhole } from "./output-file.ts";
import { type Picture, SIDE } from "./pictures.ts";

/** One image that was found, or asked for. */
export interface Shown {
  picture: Picture;
  /** Its name. */
  name: string;
  /** How near it is. */
  caption: string;
}

export interface Answer {
  query: Shown;
  /** Nearest first. */
  found: Shown[];
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

function figure({ picture, name, caption }: Shown): string {
  const image =
    "uri" in picture
      ? `<img src="${picture.uri}" alt="${escaped(name)}" width="${SIDE}" height="${SIDE}">`
      : `<div class="none">${escaped(picture.missing)}</div>`;
  return `<figure>${image}<figcaption><b>${escaped(name)}</b>${caption ? `<br>${escaped(caption)}` : ""}</figcaption></figure>`;
}

/** The start of every page. */
const START = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="generator" content="DeepHash">`;
/** The start of pages that have no such mark, by their titles. */
const EARLIER =
  /^<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">\n<title>(Nearest of \d+ images|\d+ groups of duplicates)<\/title>/;
const START_BYTES = 300;

/** Whether a file is a page that was written here, or holds nothing yet. */
function isOwn(path: string): boolean {
  const bytes = Buffer.alloc(START_BYTES);
  const file = openSync(path, "r");
  try {
    const start = bytes.toString("latin1", 0, readSync(file, bytes, 0, START_BYTES, 0));
    return start === "" || start.startsWith(START) || EARLIER.test(start);
  } finally {
    closeSync(file);
  }
}

/**
 * The file of a page, before there is anything to write.
 * @param option the one that named it, with its command; @param apart see {@link OutputFile}
 * @throws UserError where no page can be written, or something else is
 */
export function galleryFile(option: string, path: string, apart?: string): OutputFile {
  const otherwise = "Name a new file: only a page of an earlier search is replaced.";
  const file = { option, path, replaces: isOwn, otherwise, apart };
  placeOf(file);
  return file;
}

/** Writes the page. @throws UserError when it cannot be written */
export const writeGallery = (file: OutputFile, title: string, answers: Answer[]): void =>
  writeWhole(file, [pageOf(title, answers)]);

function pageOf(title: string, answers: Answer[]): string {
  const rows = answers.map(
    ({ query, found }) =>
      `<section>${figure(query)}<ol>${found.map((one) => `<li>${figure(one)}</li>`).join("")}</ol></section>`,
  );
  return `${START}<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
:root{color-scheme:light dark;font:14px/1.4 system-ui,sans-serif}
section{display:flex;gap:1.5rem;align-items:flex-start;border-top:1px solid #8886;padding:1rem 0}
ol{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;margin:0;padding:0}
figure{margin:0;width:${SIDE}px}
figcaption{overflow-wrap:anywhere;font-size:12px}
.none{box-sizing:border-box;width:${SIDE}px;height:${SIDE}px;padding:.5rem;border:1px dashed #888;display:grid;place-items:center;text-align:center;font-size:12px}
section>figure img{outline:3px solid #07c}
</style>
<h1>${escaped(title)}</h1>
${rows.join("\n")}
</html>
`;
}
