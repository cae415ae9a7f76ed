/**
 * Images brought to the encoder's size as sharp brings them, for a browser: the steps of libvips 8.18 in its fixed point, so
 * that an image dropped on the page gets the pixels that the command gives it.
 * https://github.com/libvips/libvips/tree/v8.18.0/libvips/resample
 */
import type { Shape } from "../../../stages/shared/download/decode.ts";
import { averaged } from "./average.ts";
import { enlarged } from "./enlarge.ts";
import { jpegShrunk, type Sampling } from "./jpeg.ts";
import type { Raster } from "./raster.ts";
import { reduced } from "./reduce.ts";

/** The form of the file of an image: some decoders make images smaller, by rules of their own. */
export type Origin = { form: "jpeg"; sampling: Sampling } | { form: "webp" | "other" };

/** The background of an image of another shape. */
const WHITE = 255;

/** An image at these scales of its axes (vips_resize). */
function scaled(image: Raster, across: number, down: number): Raster {
  let out = image;
  if (down < 1) out = reduced(out, false, 1 / down);
  if (across < 1) out = reduced(out, true, 1 / across);
  return down > 1 || across > 1 ? enlarged(out, Math.max(across, 1), Math.max(down, 1)) : out;
}

/** The factor by which libjpeg shrinks a photograph while it decodes it, before the rest is done here. */
function shrinkOnLoad(shrink: number): number {
  const factor = [8, 4, 2].find((one) => shrink >= one) ?? 1;
  return factor > 1 && Math.trunc(shrink) === factor ? factor / 2 : factor;
}

/** How many times longer an image's sides are than those it is to have. */
function shrinksOf({ width, height }: Raster, shape: Shape): [number, number] {
  const [across, down] = [width / shape.width, height / shape.height];
  if (shape.fit === "fill") return [across, down];
  const both = shape.fit === "contain" ? Math.max(across, down) : Math.min(across, down);
  return [Math.min(both, width), Math.min(both, height)];
}

/** The middle of an image on white, where one is larger than the other. */
function framed(from: Raster, { width, height }: Shape): Raster {
  const { channels } = from;
  if (from.width === width && from.height === height) return from;
  const pixels = new Uint8Array(width * height * channels).fill(WHITE);
  const offset = (inner: number, outer: number) =>
    inner > outer ? -Math.floor((inner - outer + 1) / 2) : Math.floor((outer - inner) / 2);
  const [left, top] = [offset(from.width, width), offset(from.height, height)];
  const [first, last] = [Math.max(left, 0), Math.min(left + from.width, width)];
  for (let row = Math.max(top, 0); row < Math.min(top + from.height, height); row++) {
    const start = ((row - top) * from.width + first - left) * channels;
    pixels.set(
      from.pixels.subarray(start, start + (last - first) * channels),
      (row * width + first) * channels,
    );
  }
  return { pixels, width, height, channels };
}

/** An image as its decoder gives it to a program that wants it so much smaller. */
function loaded(image: Raster, shrink: number, origin: Origin): Raster {
  if (origin.form === "webp" && shrink > 1)
    return averaged(image, Math.round(image.width / shrink), Math.round(image.height / shrink));
  if (origin.form !== "jpeg") return image;
  const factor = shrinkOnLoad(shrink);
  return factor > 1 ? jpegShrunk(image, factor, origin.sampling) : image;
}

/** Brings an image to a shape as {@link decode} does. */
export function fitted(image: Raster, shape: Shape, origin: Origin): Raster {
  const start = loaded(image, Math.min(...shrinksOf(image, shape)), origin);
  const [across, down] = shrinksOf(start, shape);
  return framed(across === 1 && down === 1 ? start : scaled(start, 1 / across, 1 / down), shape);
}
