/** What a search found, as one page with the images in it. */
import { writeFileSync } from "node:fs";
import sharp from "sharp";
import { readMetadata, readTable } from "../stages/shared/tables.ts";

/** Side of an image on the page, in pixels. */
const SIDE = 120;

/** One image that was found, or asked for. */
export interface Shown {
  /** Its file, or its row in the index's table of images. */
  source: string | number;
  caption: string;
}

export interface Answer {
  query: Shown;
  /** Nearest first. */
  found: Shown[];
}

/** Raw pixels of one image. */
export interface Pixels {
  bytes: Uint8Array;
  width: number;
  height: number;
  channels: 1 | 3;
}

/** A table's images, row by row. */
export function pixelsOf(path: string): (row: number) => Pixels {
  const table = readTable(path, "images");
  const column = table.getChild("pixels")!;
  const { width, height, channels } = readMetadata(table) as unknown as Pixels;
  return (row) => ({ bytes: column.get(row), width, height, channels });
}

/** A small copy of an image as a data URI. */
async function thumbnail(source: string | number, pixels?: (row: number) => Pixels): Promise<string> {
  let image: ReturnType<typeof sharp>;
  if (typeof source === "string") image = sharp(source).autoOrient();
  else {
    const { bytes, ...raw } = pixels!(source);
    image = sharp(bytes, { raw });
  }
  const webp = await image.resize(SIDE, SIDE, { fit: "cover" }).webp({ quality: 80 }).toBuffer();
  return `data:image/webp;base64,${webp.toString("base64")}`;
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** Writes the page. @param pixels of the index's images, where they are a table */
export async function writeGallery(
  path: string,
  title: string,
  answers: Answer[],
  pixels?: (row: number) => Pixels,
): Promise<void> {
  const figure = async ({ source, caption }: Shown) =>
    `<figure><img src="${await thumbnail(source, pixels)}" alt="${escaped(caption)}" width="${SIDE}" height="${SIDE}"><figcaption>${escaped(caption)}</figcaption></figure>`;
  const rows: string[] = [];
  for (const { query, found } of answers) {
    const near: string[] = [];
    for (const one of found) near.push(`<li>${await figure(one)}</li>`);
    rows.push(`<section>${await figure(query)}<ol>${near.join("")}</ol></section>`);
  }
  writeFileSync(
    path,
    `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
:root{color-scheme:light dark;font:14px/1.4 system-ui,sans-serif}
section{display:flex;gap:1.5rem;align-items:flex-start;border-top:1px solid #8886;padding:1rem 0}
ol{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;margin:0;padding:0}
figure{margin:0;width:${SIDE}px}
figcaption{overflow-wrap:anywhere;font-size:12px}
section>figure img{outline:3px solid #07c}
</style>
<h1>${escaped(title)}</h1>
${rows.join("\n")}
</html>
`,
  );
}
