/** The parts of the page that move. Each is made when it comes near the window, and does nothing without its place. */
import type { PageData, Seconds } from "../data.ts";
import { codes, radii } from "./codes.ts";
import { confusion } from "./confusion.ts";
import { curves } from "./curves.ts";
import { maps } from "./maps.ts";
import { queries } from "./queries.ts";
import { seconds } from "./seconds.ts";
import { cue, sortable } from "./tables.ts";
import { showSheet, Tiles } from "./tiles.ts";

/** Space around the window, in pixels, within which parts are made. */
const NEAR = 600;

const data = JSON.parse(document.getElementById("data")!.textContent!) as PageData;
const measured = (globalThis as { deephashSeconds?: Seconds }).deephashSeconds;
const tiles = new Tiles(data);
const parts: Record<string, (place: HTMLElement) => void> = {
  maps: (place) => maps(place, data, tiles),
  queries: (place) => queries(place, data, tiles),
  curves: (place) => curves(place, data, "images", ["map", "loss", "active"]),
  race: (place) => curves(place, data, "seconds", ["map"], ["seconds"]),
  seconds: (place) => seconds(place, data, measured),
  confusion: (place) => confusion(place, data),
  codes: (place) => codes(place, data, place.dataset.about!),
  radii: (place) => radii(place, data, place.dataset.about!),
};

const waiting = new Set(document.querySelectorAll<HTMLElement>("[data-part]"));
function fill(place: HTMLElement): void {
  if (!waiting.delete(place)) return;
  parts[place.dataset.part!](place);
  cue(place);
}
const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) fill(target as HTMLElement);
  },
  { rootMargin: `${NEAR}px` },
);

/** Opens the folded blocks around the target of a link. */
function unfold(): void {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target.parentElement; at; at = at.parentElement)
    if (at instanceof HTMLDetailsElement) at.open = true;
  target.scrollIntoView();
}

showSheet(data);
sortable();
cue(document.body);
if (measured?.mining)
  for (const place of document.querySelectorAll<HTMLElement>("[data-seconds]")) {
    const link = place.querySelector("a")!;
    place.replaceChildren(`${measured.mining}See `, link, ".");
  }
for (const place of waiting) near.observe(place);
addEventListener("hashchange", unfold);
addEventListener("beforeprint", () => {
  for (const place of [...waiting]) fill(place);
});
unfold();
