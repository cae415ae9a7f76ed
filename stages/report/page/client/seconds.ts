/** Quality against seconds, where the file of measured time is beside the page. */
import type { PageData, Seconds } from "../data.ts";
import { curves } from "./curves.ts";
import { make } from "./element.ts";

/** The chart of validation mAP against seconds of training; nothing without measurements. */
export function seconds(place: HTMLElement, data: PageData, measured: Seconds | undefined): void {
  if (!measured || measured.runs.length === 0) return;
  place.append(make("h3", {}, "Quality against seconds"));
  curves(place, { ...data, runs: measured.runs }, "seconds", ["map"], ["seconds"]);
}
