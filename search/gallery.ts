/** The answers of a search, as one page with the images in it. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
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

/** The start of every page: only a file that begins so is replaced. */
const START = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="generator" content="DeepHash">`;

/** Whether a file is a page that was written here. */
function isOwn(path: string): boolean {
  if (!statSync(path).isFile()) return false;
  const start = Buffer.alloc(START.length);
  const file = openSync(path, "r");
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return start.toString("latin1") === START;
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
