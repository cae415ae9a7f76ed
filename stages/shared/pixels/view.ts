/** How one image is seen: a window of it, mirrored or not, in other colours, with parts hidden. */

/** A rectangle, in the unit of its user. */
export interface Rectangle {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** One view of an image. Its window is in pixels of the image; beyond its edges, the pixels at the edge repeat. */
export interface View extends Rectangle {
  /** Left and right exchanged. */
  mirrored: boolean;
  /** Factors: 1 leaves the colours as they are. */
  brightness: number;
  contrast: number;
  saturation: number;
  /** Rectangles of the mean colour, in shares of the window. */
  hidden: Rectangle[];
}

/** The view of a whole image as it is. */
export const wholeView = ({ height, width }: Pick<Rectangle, "height" | "width">): View => ({
  left: 0,
  top: 0,
  width,
  height,
  mirrored: false,
  brightness: 1,
  contrast: 1,
  saturation: 1,
  hidden: [],
});
