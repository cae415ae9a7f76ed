/** The points of a stage's matrix, and those that a reference means. */

import type { Point, Scalar } from "../stage.ts";
import { brief, isMap, own, type Path, suggest } from "../text/index.ts";

type Fail = (path: Path, message: string) => never;

/** More points than this are a mistake, and would take all memory. */
export const MOST_POINTS = 100_000;

/** The name of an instance. */
export function instanceId(stage: string, point: Point): string {
  const axes = Object.entries(point).map(([axis, value]) => `${axis}=${value}`);
  return axes.length ? `${stage}[${axes.join(",")}]` : stage;
}

/** The point in the name of an instance; what looks like a number, true or false is taken for one. */
export function pointOf(id: string): Point {
  const open = id.indexOf("[");
  const axes = open < 0 || !id.endsWith("]") ? "" : id.slice(open + 1, -1);
  return Object.fromEntries(
    axes
      .split(",")
      .filter(Boolean)
      .map((pair): [string, Scalar] => {
        const cut = pair.indexOf("=");
        const text = pair.slice(cut + 1);
        if (text === "true" || text === "false") return [pair.slice(0, cut), text === "true"];
        return [pair.slice(0, cut), String(Number(text)) === text ? Number(text) : text];
      }),
  );
}

/** What the names of an axis's values stand for, where the axis is a map; see {@link points}. */
const meanings = new WeakMap<Point, Record<string, unknown>>();

/** What `${matrix.AXIS}` stands for at a point. */
export const valuesAt = (point: Point): Record<string, unknown> => ({ ...point, ...meanings.get(point) });

/** Whether the file gives a value as it is: what a `${...}` gives may differ from profile to profile. */
const isLiteral = (raw: unknown): boolean => raw !== undefined && !JSON.stringify(raw).includes("${");

const AXIS = /^[\w-]+$/;

/** @throws by `fail` where an axis or one of its values is none, or the file itself leaves it empty */
function checkAxes(matrix: Record<string, unknown>, raw: Record<string, unknown>, fail: Fail): void {
  const { include = [], exclude = [], ...axes } = matrix as Record<string, unknown[]>;
  const name = (path: Path, axis: string) => {
    if (!AXIS.test(axis)) fail(path, `an axis must be made of letters, digits, - and _, not ${brief(axis)}.`);
  };
  const scalar = (path: Path, value: unknown) => {
    if (!["string", "number", "boolean"].includes(typeof value))
      fail(
        path,
        `every value must be a word, a number, true or false, not ${brief(value)}.` +
          (path.length === 1 && isMap(value) ? suggest(String(path[0]), ["include", "exclude"]) : ""),
      );
  };
  for (const [key, list] of Object.entries({ include, exclude }))
    for (const [index, one] of (list as unknown[]).entries()) {
      if (!isMap(one)) fail([key, index], `must be a map of axes, not ${brief(one)}.`);
      for (const [axis, value] of Object.entries(one as object)) {
        name([key, index, axis], axis);
        scalar([key, index, axis], value);
      }
    }
  for (const [axis, values] of Object.entries(axes)) {
    name([axis], axis);
    if (!isMap(values) && !Array.isArray(values))
      fail([axis], `must be a list of values, or a map of them by name, not ${brief(values)}.`);
    if (Array.isArray(values)) for (const value of values) scalar([axis], value);
    if (Object.keys(values).length === 0 && isLiteral(own(raw, axis)))
      fail(
        [axis],
        "has no value, so that the stage would have no instance. Give it one, or leave the axis out.",
      );
  }
  if (include.length + Object.keys(axes).length === 0 && isLiteral(own(raw, "include") ?? []))
    fail(
      [],
      "names no axis, so that the stage would have no instance. Give it one, or leave the matrix out.",
    );
  const product = Object.values(axes).reduce(
    (count, values) => count * Object.keys(values).length,
    include.length && Object.keys(axes).length === 0 ? 0 : 1,
  );
  if (product + include.length > MOST_POINTS)
    fail(
      [],
      `has ${product + include.length} points, more than ${MOST_POINTS}. Take fewer values, or a list of smaller matrices.`,
    );
}

/** @throws by `fail` at a rule that excludes all, or that the file itself shows to exclude nothing */
function checkExcludes(matrix: Record<string, unknown>, raw: Record<string, unknown>, fail: Fail): void {
  const { include: _, exclude = [], ...axes } = matrix;
  for (const [index, rule] of (exclude as Point[]).entries()) {
    if (Object.keys(rule).length === 0)
      fail(
        ["exclude", index],
        "names no axis, and would exclude every point. Write AXIS: VALUE, or remove it.",
      );
    for (const [axis, value] of Object.entries(rule)) {
      const path = ["exclude", index, axis];
      const values = own(axes, axis);
      if (values === undefined) fail(path, `unknown axis.${suggest(axis, Object.keys(axes))}`);
      const words = (isMap(values) ? Object.keys(values) : (values as Scalar[])).map(String);
      const rules = own(raw, "exclude") as Point[] | string | undefined;
      const literal = isLiteral(own(raw, axis)) && Array.isArray(rules) && isLiteral(rules[index]);
      if (literal && !words.includes(String(value)))
        fail(
          path,
          `the axis has no value ${brief(value)}, so that nothing is excluded.${suggest(String(value), words) || ` It has ${words.slice(0, 10).join(", ")}.`}`,
        );
    }
  }
}

/**
 * The product of a matrix's axes, less `exclude`, with `include`. An axis is a list of values, or a map of them by
 * name: then the point has the name, and `${matrix.AXIS}` stands for the value, whatever it is.
 * @param raw the matrix as the file has it, with its `${...}`
 */
export function points(matrix: Record<string, unknown>, raw: unknown, fail: Fail): Point[] {
  const given = isMap(raw) ? raw : {};
  checkAxes(matrix, given, fail);
  checkExcludes(matrix, given, fail);
  const { include = [], exclude = [], ...axes } = matrix as Record<string, unknown[]>;
  let all: Point[] = [{}];
  for (const [axis, values] of Object.entries(axes)) {
    const named = isMap(values);
    all = all.flatMap((point) =>
      (named ? Object.keys(values) : values).map((value) => {
        const next = { ...point, [axis]: value as Scalar };
        const known = meanings.get(point);
        if (named)
          meanings.set(next, { ...known, [axis]: (values as Record<string, unknown>)[String(value)] });
        else if (known) meanings.set(next, known);
        return next;
      }),
    );
  }
  const rules = (exclude as Point[]).map((rule) => Object.entries(rule));
  const kept = all.filter(
    (point) => !rules.some((rule) => rule.every(([axis, value]) => String(point[axis]) === String(value))),
  );
  return [...(Object.keys(axes).length ? kept : []), ...(include as Point[])];
}

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

const REFERENCE = /^([\w-]+)(?:\[([^\]]*)\])?\.([\w-]+)$/;

/** `stage[axis=value].output`, taken apart; undefined for a text that is none. */
export function readReference(
  text: string,
): { stage: string; pairs: [axis: string, value: string][] | undefined; output: string } | undefined {
  const [, stage, bracket, output] = REFERENCE.exec(text) ?? [];
  if (stage === undefined) return undefined;
  const pairs = bracket?.split(",").map((pair): [string, string] => {
    const cut = pair.indexOf("=");
    return cut < 0 ? [pair.trim(), ""] : [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
  });
  return { stage, pairs, output };
}
