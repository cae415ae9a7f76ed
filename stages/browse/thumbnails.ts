/** Thumbnails: small pictures of the images that are named, on one sheet. */
import sharp from "sharp";
import { UserError } from "../../runner/stage.ts";
import { readImageList, readPixels } from "../shared/artifacts/images.ts";
import { writeSheet } from "../shared/artifacts/thumbnails.ts";

/** Longest side of a thumbnail, in pixels: CIFAR's own. */
const SIDE = 32;
/** Of WebP: small pictures that are shown enlarged suffer from less. */
const QUALITY = 80;
/** Images that are read at once. */
const BATCH = 1024;

/** One image, enlarged or reduced to fit the square, on white. `[side, side, 3]` */
async function thumbnail(
  pixels: Uint8Array,
  raw: { width: number; height: number; channels: 1 | 3 },
): Promise<Uint8Array> {
  if (raw.width === SIDE && raw.height === SIDE && raw.channels === 3) return pixels.slice();
  return sharp(pixels, { raw })
    .resize(SIDE, SIDE, { fit: "contain", background: "white" })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer();
}

/**
 * Draws the thumbnails and writes them into a folder.
 * @param images table of images
 * @param ids of the thumbnails, in their order
 * @throws UserError when an image is missing
 */
export async function writeThumbnails(images: string, ids: Uint32Array, folder: string): Promise<void> {
  const list = await readImageList(images);
  const placeOf = new Map(Array.from(ids, (id, place) => [id, place]));
  const columns = Math.max(1, Math.ceil(Math.sqrt(ids.length)));
  const rows = Math.ceil(ids.length / columns);
  const sheet = Buffer.alloc(columns * rows * SIDE * SIDE * 3, 255);
  const { height, width, channels } = list;
  const size = height * width * channels;
  const found = new Set<number>();
  let row = 0;
  for await (const { count, pixels } of readPixels(images, BATCH))
    for (let i = 0; i < count; i++, row++) {
      const place = placeOf.get(list.ids[row]);
      if (place === undefined) continue;
      found.add(list.ids[row]);
      const small = await thumbnail(pixels.subarray(i * size, (i + 1) * size), {
        width,
        height,
        channels: channels as 1 | 3,
      });
      const [x, y] = [(place % columns) * SIDE, Math.floor(place / columns) * SIDE];
      for (let line = 0; line < SIDE; line++)
        sheet.set(
          small.subarray(line * SIDE * 3, (line + 1) * SIDE * 3),
          ((y + line) * columns * SIDE + x) * 3,
        );
    }
  const missing = ids.find((id) => !found.has(id));
  if (missing !== undefined)
    throw new UserError(
      `${images}: image ${missing} is missing. Do the images and the vectors come from the same data set?`,
    );
  const webp = await sharp(sheet, { raw: { width: columns * SIDE, height: rows * SIDE, channels: 3 } })
    .webp({ quality: QUALITY })
    .toBuffer();
  writeSheet(folder, webp, { side: SIDE, columns, count: ids.length });
}
