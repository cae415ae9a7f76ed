/** The images that were found, as tiles that the arrow keys walk through. */
import type { Found, Listed } from "./api.ts";
import { pictureOf } from "./api.ts";
import { drawBits } from "./bits.ts";
import { byId, make } from "./element.ts";

/** The actions of a tile. */
export interface Actions {
  /** Searches by it. */
  like(image: Listed): void;
  open(image: Listed): void;
}

/** The code that all tiles are compared with. */
export interface Query {
  code: string;
  bits: number;
}

export const isFound = (image: Listed): image is Found => "code" in image;

/** How near an image is, in words. */
export const nearness = ({ same, distance }: Found): string =>
  same ? "the same image" : `${distance} ${distance === 1 ? "bit differs" : "bits differ"}`;

function pictureFor(image: Listed): HTMLElement {
  const picture = make("img", {
    src: pictureOf(image, "small"),
    alt: "",
    loading: "lazy",
    decoding: "async",
  });
  picture.addEventListener("error", () =>
    picture.replaceWith(make("span", { class: "none" }, "moved, deleted or unreadable")),
  );
  return picture;
}

/** A picture that says in small what the words beside it say. */
function small(picture: Element): Element {
  picture.removeAttribute("aria-label");
  picture.removeAttribute("role");
  picture.setAttribute("aria-hidden", "true");
  return picture;
}

function tile(image: Listed, query: Query | undefined, actions: Actions): HTMLElement {
  const near = isFound(image) ? nearness(image) : undefined;
  const words = make(
    "span",
    { class: "words" },
    image.class ? make("b", {}, image.class) : undefined,
    make("span", { class: "name", title: image.image }, image.image),
    near !== undefined && isFound(image)
      ? make(
          "span",
          { class: "near" },
          make("span", {}, near),
          image.ties > 1
            ? make(
                "span",
                { title: `${image.ties} images of the index differ in as many bits` },
                `${image.ties} as near`,
              )
            : undefined,
        )
      : undefined,
    query && isFound(image) ? small(drawBits(image.code, query.bits, query.code)) : undefined,
  );
  const button = make(
    "button",
    { class: "tile", type: "button", title: "More like this" },
    pictureFor(image),
    words,
  );
  button.addEventListener("click", () => actions.like(image));
  const open = make("button", { class: "open", type: "button", "aria-label": `Open ${image.image}` }, "⤢");
  open.addEventListener("click", () => actions.open(image));
  button.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "o" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions.open(image);
  });
  return make("li", {}, button, open);
}

const list = () => byId("found");
const tiles = (): HTMLElement[] => [...list().querySelectorAll<HTMLElement>(".tile")];

export function show(images: Listed[], query: Query | undefined, actions: Actions): void {
  const hadFocus = list().contains(document.activeElement);
  list().replaceChildren(...images.map((image) => tile(image, query, actions)));
  list().classList.remove("old");
  if (hadFocus) tiles()[0]?.focus();
}

/** Pales the tiles while new ones are fetched. */
export const pale = (): void => list().classList.add("old");

/** Tiles of a row. */
function columns(all: HTMLElement[]): number {
  const top = all[0].getBoundingClientRect().top;
  const next = all.findIndex((one) => one.getBoundingClientRect().top > top + 1);
  return next < 0 ? all.length : next;
}

/** Lets the arrow keys move the focus from tile to tile. */
export function walkByKeys(): void {
  list().addEventListener("keydown", (event) => {
    const all = tiles();
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns(all),
      ArrowUp: -columns(all),
      Home: -at,
      End: all.length - 1 - at,
    };
    const to = at + (steps[event.key] ?? Number.NaN);
    if (!all[to]) return;
    event.preventDefault();
    all[to].focus();
  });
}
