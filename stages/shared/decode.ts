/** Image files to pixels: the same for a data set, an index and what is searched in it. */
import sharp from "sharp";

/** Endings of what is taken for an image. */
export const ENDINGS = [".png", ".jpg", ".jpeg", ".webp"];

/** How an image of another shape is brought to its own: cut, with white bars, or stretched. */
export type Fit = "cover" | "contain" | "fill";

/** What images are brought to. */
export interface Shape {
  height: number;
  width: number;
  channels: number;
  /** Without it, cut. */
  fit?: Fit;
}

/**
 * An image's pixels `[height, width, channels]`, upright, on white where it is transparent.
 * @throws Error when it is unreadable
 */
export async function decode(path: string, { height, width, channels, fit }: Shape): Promise<Uint8Array> {
  const { data, info } = await sharp(path)
    .autoOrient()
    .flatten({ background: "white" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .resize(width, height, { fit: fit ?? "cover", background: "white" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`);
  return data;
}
