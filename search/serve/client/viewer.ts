/** One image, large, with its code. */
import { type Listed, pictureOf } from "./api.ts";
import { drawBits } from "./bits.ts";
import { byId } from "./element.ts";
import { isFound, nearness, type Query } from "./grid.ts";

let like: (() => void) | undefined;

/** Opens it. @param onLike searches by it */
export function view(image: Listed, query: Query | undefined, onLike: (image: Listed) => void): void {
  const picture = byId("viewer-image", HTMLImageElement);
  picture.src = pictureOf(image, "large");
  picture.alt = image.image;
  byId("viewer-name").textContent = image.image;
  const near = isFound(image) ? nearness(image) : "";
  byId("viewer-about").textContent = [image.class, near].filter(Boolean).join(" · ");
  byId("viewer-bits").replaceChildren(
    ...(query && isFound(image) ? [drawBits(image.code, query.bits, query.code)] : []),
  );
  like = () => onLike(image);
  byId("viewer", HTMLDialogElement).showModal();
}

/** Makes its buttons work. */
export function startViewer(): void {
  const dialog = byId("viewer", HTMLDialogElement);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside the image
  });
  byId("viewer-like").addEventListener("click", () => {
    dialog.close();
    like?.();
  });
}
