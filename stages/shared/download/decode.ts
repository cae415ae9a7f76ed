/** Image files to pixels: the same for a data set, an index and its queries. */
import sharp from "sharp";

/** Forms of photographs; others that sharp reads (SVG, PDF) are documents, drawn with the fonts of the machine. */
const FORMS = ["jpeg", "png", "webp", "gif", "tiff", "heif", "jp2", "jxl"] as const;

/** Endings of image files: of every form that this build of sharp decodes. */
export const ENDINGS: string[] = FORMS.flatMap((form) => {
  const input = (sharp.format as Partial<typeof sharp.format>)[form]?.input as
    | { file: boolean; fileSuffix?: string[] }
    | undefined;
  return input?.file ? (input.fileSuffix ?? []) : [];
});

/** How an image of another shape is brought to its own: cut, with white bars, or stretched. */
export type Fit = "cover" | "contain" | "fill";

/** The shape of the decoded images. */
export interface Shape {
  height: number;
  width: number;
  channels: number;
  /** Without it, cut. */
  fit?: Fit;
}

/** A line that names a file: libvips has one buffer of errors, where those of images decoded meanwhile are, too. */
const OF_ANOTHER_FILE = /(^|\s)\/[^\s/]/;

/** Why a decoder failed, in one line: the first thing it says, without the path that a message names anyway. */
export function reasonOf(message: string, path: string): string {
  const [first = "it cannot be decoded", ...others] = message
    .replaceAll(path, "")
    .split("\n")
    .filter((line) => !OF_ANOTHER_FILE.test(line))
    .map((line) => line.replace(/^[\s:]+|[\s:]+$/g, ""))
    .filter(Boolean);
  return first === "Input file has corrupt header" && others.length > 0 ? `${first}: ${others[0]}` : first;
}

/**
 * An image's pixels `[height, width, channels]`, upright, on white where it is transparent; of several pages the
 * first. Data of a camera or an editor outside the norm only makes a decoder warn, and is no reason to
 * refuse a photo; a truncated one is an error.
 * @throws Error when it is unreadable, or has more than 268 million pixels
 */
export async function decode(path: string, { height, width, channels, fit }: Shape): Promise<Uint8Array> {
  const image = sharp(path, { failOn: "error" })
    .autoOrient()
    .flatten({ background: "white" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .resize(width, height, { fit: fit ?? "cover", background: "white" })
    .raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true }).catch((error: Error) => {
    throw new Error(reasonOf(error.message, path));
  });
  if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`);
  return data;
}
