/** What moves on the page. Each part looks for its place and does nothing without it. */
import type { PageData } from "../data.ts";
import { codes } from "./codes.ts";
import { confusion } from "./confusion.ts";
import { curves } from "./curves.ts";
import { maps } from "./maps.ts";
import { queries } from "./queries.ts";
import { sortable } from "./tables.ts";
import { showSheet, Tiles } from "./tiles.ts";

const data = JSON.parse(document.getElementById("data")!.textContent!) as PageData;
const tiles = new Tiles(data);
const parts: Record<string, (place: HTMLElement) => void> = {
  maps: (place) => maps(place, data, tiles),
  queries: (place) => queries(place, data, tiles),
  curves: (place) => curves(place, data, "images", ["loss", "active", "map"]),
  race: (place) => curves(place, data, "seconds", ["map"]),
  confusion: (place) => confusion(place, data),
  codes: (place) => codes(place, data, place.dataset.about!),
};

showSheet(data);
sortable();
for (const place of document.querySelectorAll<HTMLElement>("[data-part]")) parts[place.dataset.part!](place);
