/** The points of one matrix: the product of its axes. */

import type { Point, Scalar } from "../stage.ts";
import { brief, isMap, own, type Path, suggest } from "../text/index.ts";
import { isLiteral, MATRIX_WORDS } from "./names.ts";

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

const AXIS = /^[\w-]+$/;

/** The correct form of an axis that is written as a map. */
const mapFault = (axis: string, words: Record<string, unknown>): string => {
  const names = Object.keys(words);
  return `must be a list of values. Write ${axis}: [${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}], and what each of them sets in axes: { ${axis}: { WORD: { NAME: VALUE } } }.`;
};

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
          (path.length === 1 && isMap(value) ? suggest(String(path[0]), MATRIX_WORDS) : ""),
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
    if (isMap(values)) fail([axis], mapFault(axis, values));
    if (!Array.isArray(values)) fail([axis], `must be a list of values, not ${brief(values)}.`);
    for (const value of values) scalar([axis], value);
    if (values.length === 0 && isLiteral(own(raw, axis)))
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
    (count, values) => count * values.length,
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
      const words = (values as Scalar[]).map(String);
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
 * The product of a matrix's axes, less `exclude`, with `include`.
 * @param raw the matrix as the file has it, with its `$name`s
 */
export function points(matrix: Record<string, unknown>, raw: unknown, fail: Fail): Point[] {
  const given = isMap(raw) ? raw : {};
  checkAxes(matrix, given, fail);
  checkExcludes(matrix, given, fail);
  const { include = [], exclude = [], ...axes } = matrix as Record<string, unknown[]>;
  let all: Point[] = [{}];
  for (const [axis, values] of Object.entries(axes))
    all = all.flatMap((point) => values.map((value) => ({ ...point, [axis]: value as Scalar })));
  const rules = (exclude as Point[]).map((rule) => Object.entries(rule));
  const kept = all.filter(
    (point) => !rules.some((rule) => rule.every(([axis, value]) => String(point[axis]) === String(value))),
  );
  return [...(Object.keys(axes).length ? kept : []), ...(include as Point[])];
}
