/** The views that two photos are compared by: each as it is, mirrored, and cut in several ways. */
import { differenceHash, greyOf, outline } from "../../stages/shared/likeness.ts";

/** Side of the grey thumbnail that is kept of a photo, stretched to a square. */
export const SIDE = 64;

/** How a photo is shown. */
export interface View {
  mirrored: boolean;
  /** Of the thumbnail, in pixels. */
  left: number;
  top: number;
  width: number;
  height: number;
}

const WHOLE = { mirrored: false, left: 0, top: 0, width: SIDE, height: SIDE };
/** Sides of a crop, as shares of the photo's. */
const CROPS = [0.95, 0.9, 0.85, 0.8];
/** Where a crop is: at the left or top, in the middle, at the right or bottom. */
const PLACES = [0, 0.5, 1];

/** The views of each photo, the whole first. A crop keeps the shape of the photo, or cuts one of its sides only. */
export const VIEWS: View[] = [
  WHOLE,
  { ...WHOLE, mirrored: true },
  ...CROPS.flatMap((share) => {
    const side = Math.round(share * SIDE);
    const places = PLACES.map((place) => Math.round(place * (SIDE - side)));
    return [
      ...places.flatMap((top) =>
        places.map((left) => ({ mirrored: false, left, top, width: side, height: side })),
      ),
      ...places.map((left) => ({ ...WHOLE, left, width: side })),
      ...places.map((top) => ({ ...WHOLE, top, height: side })),
    ];
  }),
];

/** A view's hash and outline; undefined where it shows nothing. */
export interface Print {
  hash: Uint8Array;
  outline: Float32Array;
}

/** @param thumb `[SIDE, SIDE]` grey */
export function printOf(thumb: Uint8Array, { mirrored, left, top, width, height }: View): Print | undefined {
  const cut = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      cut[y * width + (mirrored ? width - 1 - x : x)] = thumb[(top + y) * SIDE + left + x];
  const grey = greyOf(cut, 1, new Float32Array(width * height));
  const small = outline(grey, height, width);
  return small && { hash: differenceHash(grey, height, width), outline: small };
}
