/** Runs that differ in nothing but their seed belong together: the groups that plots and reports compare. */
import type { Point, Scalar } from "../../../runner/stage.ts";
import { differing, kindOf, paramOf, type Recipe, shown } from "./recipe.ts";

/** Axes that tell no group from another: repetitions, and those that are above the table already. */
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

/** The name of the method of a code, for all lengths: the group's name without the axis `bits`. */
export function methodOf(label: string, point: Point): string {
  const { bits: _, ...others } = point;
  const axes = labelOf(point, "");
  return axes ? label.replace(axes, labelOf(others, "codes")) : label;
}

/** The name of vectors that nothing was trained on. */
export function rawLabel(point: Point): string {
  const axes = labelOf(point, "");
  return axes ? `${RAW} · ${axes}` : RAW;
}

/** Whether a group's name is that of raw features. */
export const isRaw = (label: string): boolean => label === RAW || label.startsWith(`${RAW} · `);

function inOrder(a: Scalar | undefined, b: Scalar | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "") < String(b ?? "") ? -1 : String(a ?? "") > String(b ?? "") ? 1 : 0;
}

/**
 * Gives runs that one name stands for, but that were not made alike, a longer name each: points of two matrices may agree
 * where the params do not, and no mean is taken over both. The order stays.
 * @param apart the values that are never compared, as a protocol
 */
export function tellApart<T extends { label: string; recipe: Recipe }>(
  runs: T[],
  apart: (run: T) => string = () => "",
): T[] {
  const longer = new Map<T, string>();
  for (const own of byName(runs, (run) => `${run.label}\n${apart(run)}`).values()) {
    const [first, ...others] = [...byName(own, ({ recipe }) => kindOf(recipe)).values()];
    const names = new Set(
      others.flatMap(([{ recipe }]) =>
        differing(first[0].recipe, recipe).flatMap(({ name, chosen }) => (chosen ? [] : name)),
      ),
    );
    for (const run of names.size ? own : []) {
      const values = [...names].map((name) => `${name} ${shown(paramOf(run.recipe, name))}`);
      longer.set(run, `${run.label} (${values.join(", ")})`);
    }
  }
  return runs.map((run) => ({ ...run, label: longer.get(run) ?? run.label }));
}

/** Groups in the order in which they first occur. */
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

/** Things by a name of theirs, in the order in which the names first occur. */
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
