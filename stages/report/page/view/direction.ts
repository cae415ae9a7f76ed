/** Walking over a map with the arrow keys. */

/** The four ways, as keys are named. */
export const WAYS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** How much a step aside counts against a step ahead. */
const ASIDE = 2;

/**
 * The point that one comes to from a point: the nearest one that is more ahead than aside.
 * @param open which points can be stepped on
 * @returns the point itself where there is none
 */
export function pointAhead(
  x: number[],
  y: number[],
  from: number,
  [right, up]: [number, number],
  open: (point: number) => boolean,
): number {
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  for (let point = 0; point < x.length; point++) {
    const [dx, dy] = [x[point] - x[from], y[point] - y[from]];
    const ahead = dx * right + dy * up;
    const aside = Math.abs(dx * up) + Math.abs(dy * right);
    if (point === from || ahead <= 0 || aside > ahead || !open(point)) continue;
    const far = ahead + ASIDE * aside;
    if (far < least) [best, least] = [point, far];
  }
  return best;
}
