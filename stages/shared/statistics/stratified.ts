/** A draw of images in which every class has its share. */
import type { Random } from "../compute/random.ts";

/**
 * A stratified draw: every class has its share of `rows` in it, to within one.
 * @param rows of the images to draw from
 * @param labels of all images, by row
 * @param points to draw; all of `rows` when there are not more
 * @returns rows in ascending order
 */
export function drawStratified(
  rows: Uint32Array,
  labels: Uint16Array,
  points: number,
  random: Random,
): Uint32Array {
  if (points >= rows.length) return rows.slice().sort();
  const classes = new Map<number, number[]>();
  for (const row of rows) {
    const members = classes.get(labels[row]);
    if (members) members.push(row);
    else classes.set(labels[row], [row]);
  }
  const drawn: number[] = [];
  let passed = 0;
  // A running total spreads what does not divide evenly, and the sum comes out right.
  for (const label of [...classes.keys()].sort((a, b) => a - b)) {
    const members = random.shuffle(classes.get(label)!);
    const before = Math.floor((passed * points) / rows.length);
    passed += members.length;
    const share = Math.floor((passed * points) / rows.length) - before;
    for (let index = 0; index < share; index++) drawn.push(members[index]);
  }
  return Uint32Array.from(drawn).sort();
}
