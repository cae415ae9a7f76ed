/** Colours to grey, as libvips converts them. */

const toLinear = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
const fromLinear = (value: number) =>
  value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;

/** Colours to grey by their luminance. @param pixels of three channels */
export function toGrey(pixels: Uint8Array): Uint8Array {
  const grey = new Uint8Array(pixels.length / 3);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    const luminance =
      0.2126 * toLinear[pixels[at]] + 0.7152 * toLinear[pixels[at + 1]] + 0.0722 * toLinear[pixels[at + 2]];
    grey[i] = Math.round(255 * fromLinear(luminance));
  }
  return grey;
}
