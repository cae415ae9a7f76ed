/** The points that a reference means. */
import type { Point } from "../stage.ts";

const axesKnown = new WeakMap<Point[], string[]>();
/** All axes of a stage's points. */
export function axesOf(found: Point[]): string[] {
  const axes = axesKnown.get(found) ?? [...new Set(found.flatMap((point) => Object.keys(point)))];
  axesKnown.set(found, axes);
  return axes;
}

/** The points of one matrix that have the same axes, and those of each choice of values, for {@link matching}. */
interface Sheet {
  axes: string[];
  places: number[];
  /** By the axes that are wanted: their values → the places of the points that have them. */
  indices: Map<string, Map<string, number[]>>;
}
const sheetsKnown = new WeakMap<Point[], Sheet[]>();

function sheetsOf(found: Point[]): Sheet[] {
  const known = sheetsKnown.get(found);
  if (known) return known;
  const sheets = new Map<string, Sheet>();
  for (const [place, point] of found.entries()) {
    const axes = Object.keys(point);
    const name = JSON.stringify(axes);
    if (!sheets.has(name)) sheets.set(name, { axes, places: [], indices: new Map() });
    sheets.get(name)!.places.push(place);
  }
  sheetsKnown.set(found, [...sheets.values()]);
  return [...sheets.values()];
}

/**
 * The points that agree with `wanted` on every axis that both have, and that have all of the axes `named`, in
 * order. Looked up, not searched for: ten thousand instances look among ten thousand.
 * @param wanted axis → value, as text
 */
export function matching(found: Point[], wanted: Map<string, string>, named: string[]): Point[] {
  const places: number[] = [];
  const sheets = sheetsOf(found);
  for (const { axes, places: all, indices } of sheets) {
    if (!named.every((axis) => axes.includes(axis))) continue;
    const shared = axes.filter((axis) => wanted.has(axis));
    const name = JSON.stringify(shared);
    const index = indices.get(name) ?? new Map<string, number[]>();
    if (!indices.has(name)) {
      indices.set(name, index);
      for (const place of all) {
        const values = JSON.stringify(shared.map((axis) => String(found[place][axis])));
        const same = index.get(values);
        if (same) same.push(place);
        else index.set(values, [place]);
      }
    }
    for (const place of index.get(JSON.stringify(shared.map((axis) => wanted.get(axis)))) ?? [])
      places.push(place);
  }
  if (sheets.length > 1) places.sort((a, b) => a - b);
  return places.map((place) => found[place]);
}
