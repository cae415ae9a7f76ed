/** Runs that differ in nothing but their seed belong together: the groups that plots and reports compare. */
import type { Point, Scalar } from "../../runner/stage.ts";

/** Axes that tell no group from another: repetitions, and what stands above the table already. */
const APART = new Set(["seed", "protocol"]);

/** Vectors as the backbone gives them, which every trained group is held against. */
const RAW = "raw features";

/** Runs of one group, in the order of their seeds. */
export interface Group<T> {
  /** For people, and as a key: the values of its axes, as `facenet · semihard-negative`. */
  label: string;
  /** Its axes, without seed and protocol. */
  point: Point;
  members: T[];
}

/** The axes that tell groups apart. */
export function axesOf(point: Point): Point {
  return Object.fromEntries(Object.entries(point).filter(([axis]) => !APART.has(axis)));
}

/**
 * A group's name: words stand for themselves, numbers and truth values go with the name of their axis.
 * @param none the name of a run that has no axis
 */
export function labelOf(point: Point, none: string): string {
  const parts = Object.entries(axesOf(point)).map(([axis, value]) =>
    typeof value === "string" ? value : `${axis} ${value}`,
  );
  return parts.length ? parts.join(" · ") : none;
}

/** The name of what made a code, whatever its length: the group's name without the axis `bits`. */
export function methodOf(point: Point): string {
  const { bits: _, ...others } = point;
  return labelOf(others, "codes");
}

/** The name of vectors that nothing was trained on. */
export function rawLabel(point: Point): string {
  const axes = labelOf(point, "");
  return axes ? `${RAW} · ${axes}` : RAW;
}

/** Whether a group's name is that of raw features. */
export const isRaw = (label: string): boolean => label === RAW || label.startsWith(`${RAW} · `);

/** Whether every axis of `part` has the same value in `whole`: what was made at `part` went into `whole`. */
const agrees = (part: Point, whole: Point): boolean =>
  Object.entries(part).every(([axis, value]) => whole[axis] === value);

/** Whether two have the same axes with the same values. */
export const samePoint = (a: Point, b: Point): boolean => agrees(a, b) && agrees(b, a);

/** What went into that which was made at `whole`; of several the one with the most axes, its nearest. */
export function madeFrom<T extends { point: Point }>(candidates: T[], whole: Point): T | undefined {
  const axes = ({ point }: T) => Object.keys(point).length;
  return candidates
    .filter(({ point }) => agrees(point, whole))
    .reduce<T | undefined>((best, one) => (best && axes(best) >= axes(one) ? best : one), undefined);
}

function inOrder(a: Scalar | undefined, b: Scalar | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "") < String(b ?? "") ? -1 : String(a ?? "") > String(b ?? "") ? 1 : 0;
}

/** Groups in the order in which they first stand. */
export function groupRuns<T extends { point: Point; label: string }>(runs: T[]): Group<T>[] {
  const groups = new Map<string, Group<T>>();
  for (const run of runs) {
    const { label } = run;
    const group = groups.get(label) ?? { label, point: axesOf(run.point), members: [] };
    group.members.push(run);
    groups.set(label, group);
  }
  for (const { members } of groups.values()) members.sort((a, b) => inOrder(a.point.seed, b.point.seed));
  return [...groups.values()];
}

/** Things by a name of theirs, in the order in which the names first stand. */
export function byName<T>(things: T[], nameOf: (thing: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const thing of things) {
    const name = nameOf(thing);
    const list = found.get(name);
    if (list) list.push(thing);
    else found.set(name, [thing]);
  }
  return found;
}
