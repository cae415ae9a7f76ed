/** Runs that differ in nothing but their seed belong together: the groups that plots and reports compare. */
import type { Point, Scalar } from "../../runner/stage.ts";

/** Axes that tell no group from another: repetitions, and what stands above the table already. */
const APART = new Set(["seed", "protocol"]);

/** What a run without any axis is: vectors as the backbone gives them. */
export const RAW = "raw features";

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

/** A group's name: words stand for themselves, numbers and truth values go with the name of their axis. */
export function labelOf(point: Point): string {
  const parts = Object.entries(axesOf(point)).map(([axis, value]) =>
    typeof value === "string" ? value : `${axis} ${value}`,
  );
  return parts.length ? parts.join(" · ") : RAW;
}

function inOrder(a: Scalar | undefined, b: Scalar | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "") < String(b ?? "") ? -1 : String(a ?? "") > String(b ?? "") ? 1 : 0;
}

/** Groups in the order in which they first stand. */
export function groupRuns<T extends { point: Point }>(runs: T[]): Group<T>[] {
  const groups = new Map<string, Group<T>>();
  for (const run of runs) {
    const label = labelOf(run.point);
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
