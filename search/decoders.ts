/** The decoders that images from outside reach. */
import sharp from "sharp";

/** The names of the images' decoders in libvips. Those of documents (SVG, PDF) stay closed. */
const DECODERS = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif", "Jp2k", "Jxl"];

/** Leaves only the decoders of photographs, for the rest of this process. */
export function onlyPhotos(): void {
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: DECODERS.map((name) => `VipsForeignLoad${name}`) });
}
