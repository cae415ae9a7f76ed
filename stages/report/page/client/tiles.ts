/** Images as tiles: their picture if there is one, else the name of their class. */
import type { PageData } from "../data.ts";
import { make } from "./element.ts";

/** Side of a picture on the page, in CSS pixels. */
const SIDE = 64;

/** Makes tiles of one page's images. */
export class Tiles {
  private readonly data: PageData;
  constructor(data: PageData) {
    this.data = data;
  }

  /** "cat, image 50123" */
  words(image: number): string {
    const { classes, neighbours } = this.data;
    const { id, label } = neighbours!.images;
    return `${classes[label[image]]}, image ${id[image]}`;
  }

  /** The picture alone, or the class in its place. */
  picture(image: number): HTMLElement {
    const { thumbnails, classes, neighbours } = this.data;
    const words = this.words(image);
    if (!thumbnails)
      return make("span", { class: "picture", title: words }, classes[neighbours!.images.label[image]]);
    const { columns } = thumbnails;
    const picture = make("span", { class: "picture seen", role: "img", "aria-label": words, title: words });
    const [x, y] = [(image % columns) * SIDE, Math.floor(image / columns) * SIDE];
    picture.style.backgroundPosition = `-${x}px -${y}px`;
    return picture;
  }

  /** A neighbour: its picture, whether it is right in a sign and a word, and what else there is to say. */
  near({ image, right, distance }: { image: number; right: boolean; distance?: number }): HTMLElement {
    const { classes, neighbours } = this.data;
    return make(
      "li",
      { class: right ? "right" : "wrong" },
      this.picture(image),
      make("span", { class: "mark" }, right ? "✓ right" : "✗ wrong"),
      make("span", {}, classes[neighbours!.images.label[image]]),
      distance === undefined ? undefined : make("span", { class: "distance" }, String(distance)),
    );
  }
}

/** Puts the sheet of thumbnails where the style finds it. */
export function showSheet({ thumbnails }: PageData): void {
  if (!thumbnails) return;
  const style = make("style");
  style.textContent = `.picture.seen { background-image: url("${thumbnails.sheet}"); background-size: ${thumbnails.columns * SIDE}px auto; }`;
  document.head.append(style);
}
