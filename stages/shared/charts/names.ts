/** Finds places for the names of the classes of a map. */

/** The middle value; of an even number the upper one. */
function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** A name at a place, in the units of the map scaled to a width of 1. */
export interface Name {
  text: string;
  x: number;
  y: number;
}

/** Rounds in which names that overlap are pushed apart. */
const ROUNDS = 200;

/**
 * The names of the classes at the median of their points, moved up and down until none overlaps another.
 * @param unit the map's coordinates, x scaled to [0, 1] and y to [0, tall]
 * @param size width of a letter and height of a line, in the same units
 */
export function placeNames(
  unit: { x: ArrayLike<number>; y: ArrayLike<number>; labels: ArrayLike<number> },
  classes: string[],
  { width, height }: { width: number; height: number },
  tall: number,
): Name[] {
  const names = classes.flatMap((text, label): Name[] => {
    const rows = Array.from(unit.labels, (_, row) => row).filter((row) => unit.labels[row] === label);
    if (rows.length === 0) return [];
    return [{ text, x: median(rows.map((row) => unit.x[row])), y: median(rows.map((row) => unit.y[row])) }];
  });
  for (let round = 0; round < ROUNDS; round++) {
    let moved = false;
    for (const [index, a] of names.entries())
      for (const b of names.slice(index + 1)) {
        const overlapX = ((a.text.length + b.text.length) / 2) * width - Math.abs(a.x - b.x);
        const overlapY = height - Math.abs(a.y - b.y);
        if (overlapX <= 0 || overlapY <= 0) continue;
        const shift = (overlapY / 2 + 1e-4) * (a.y < b.y || (a.y === b.y && a.text < b.text) ? -1 : 1);
        a.y += shift;
        b.y -= shift;
        moved = true;
      }
    for (const name of names) {
      name.y = Math.min(tall - height / 2, Math.max(height / 2, name.y));
      const half = (name.text.length * width) / 2;
      name.x = Math.min(1 - half, Math.max(half, name.x));
    }
    if (!moved) break;
  }
  return names;
}
