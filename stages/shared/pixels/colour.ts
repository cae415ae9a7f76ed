/** The colours of a view: brightness, contrast and saturation, as torchvision's ColorJitter defines them. */
import type { View } from "./view.ts";

/** Shares of red, green and blue in the grey of a pixel (ITU-R BT.601). */
const GREY = [0.299, 0.587, 0.114];
const clamp = (value: number) => Math.min(255, Math.max(0, value));

/** Whether a view leaves the colours as they are. */
export const keepsColours = ({ brightness, contrast, saturation }: View): boolean =>
  brightness === 1 && contrast === 1 && saturation === 1;

/** The grey of the pixel at `at`. */
const greyAt = (pixels: ArrayLike<number>, at: number, channels: number): number =>
  channels === 1 ? pixels[at] : GREY[0] * pixels[at] + GREY[1] * pixels[at + 1] + GREY[2] * pixels[at + 2];

/**
 * An image in the colours of a view: brighter, then with more contrast around its mean grey, then more saturated.
 * @param from where the image starts in `pixels`, whose values are in [0, 255]
 * @param out receives it, `[pixels * channels]`
 */
export function recolour(
  pixels: ArrayLike<number>,
  from: number,
  { brightness, contrast, saturation }: View,
  channels: number,
  out: Float32Array,
): void {
  for (let i = 0; i < out.length; i++) out[i] = clamp(pixels[from + i] * brightness);
  if (contrast !== 1) {
    let mean = 0;
    for (let i = 0; i < out.length; i += channels) mean += greyAt(out, i, channels);
    mean /= out.length / channels;
    for (let i = 0; i < out.length; i++) out[i] = clamp(mean + (out[i] - mean) * contrast);
  }
  if (saturation !== 1 && channels === 3)
    for (let i = 0; i < out.length; i += 3) {
      const grey = greyAt(out, i, 3);
      for (let c = i; c < i + 3; c++) out[c] = clamp(grey + (out[c] - grey) * saturation);
    }
}
