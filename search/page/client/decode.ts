/** An image file to the pixels that the encoder takes. */
import type { Shape } from "../../../stages/shared/download/decode.ts";
import { fitted, type Origin } from "../pixels/fit.ts";
import { toGrey } from "../pixels/grey.ts";
import { samplingOf } from "../pixels/jpeg.ts";

function originOf(bytes: Uint8Array): Origin {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return { form: "jpeg", sampling: samplingOf(bytes) };
  return { form: String.fromCharCode(...bytes.subarray(8, 12)) === "WEBP" ? "webp" : "other" };
}

/**
 * The pixels `[height, width, channels]` of an image, upright, on white where it is transparent.
 * @throws Error when this browser cannot read it
 */
export async function decode(file: Blob, shape: Shape): Promise<Uint8Array> {
  const origin = originOf(new Uint8Array(await file.arrayBuffer()));
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This browser cannot read the image. JPEG, PNG and WebP work everywhere.");
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error(`The image is too large for this browser (${width} x ${height} pixels).`);
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    pixels[to++] = data[from];
    pixels[to++] = data[from + 1];
    pixels[to++] = data[from + 2];
  }
  const out = fitted({ pixels, width, height, channels: 3 }, shape, origin);
  return shape.channels === 1 ? toGrey(out.pixels) : out.pixels;
}
