/** The comparison behind `diff` and `check`: the numbers of a published JSON file, before and now. */
import type { Compared, Reading } from "../stage.ts";
import type { StageRecord, Store } from "../store/index.ts";
import type { CheckRule } from "../study/index.ts";
import { effectCells } from "../text/index.ts";
import { resultOf } from "./reading.ts";

/** The tables of `diff` and `check` have at most so many rows. */
export const MOST_ROWS = 100;

/** One number or word that differs. */
export interface Leaf {
  path: string;
  before: unknown;
  now: unknown;
}

/** One state of a file: its content, and the record of the run that made it, if the store has one. */
export interface State {
  numbers: unknown;
  record?: StageRecord;
}

export interface Comparison {
  /** How many numbers were compared. */
  compared: number;
  /** The differences, without the measurements that the stage's own reading compares. */
  leaves: Leaf[];
  /** Measurements, with the certainty of their change; none without a reading. */
  effects: Compared[];
}

/** Compares two JSON values leaf by leaf; counts the numbers. Numbers differ when further apart than `rule` allows. */
export function compare(
  before: unknown,
  now: unknown,
  rule: CheckRule,
  found: (leaf: Leaf, keys: string[]) => void,
  keys: string[] = [],
): number {
  const differs = () => found({ path: keys.join("."), before, now }, keys);
  if (typeof before === "number" && typeof now === "number") {
    const same = rule === "exact" ? Object.is(before, now) : Math.abs(before - now) <= rule.tolerance;
    if (!same) differs();
    return 1;
  }
  const isTree = (value: unknown) => value !== null && typeof value === "object";
  if (isTree(before) && isTree(now) && Array.isArray(before) === Array.isArray(now)) {
    const [a, b] = [before, now] as Record<string, unknown>[];
    let count = 0;
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      count += compare(a[key], b[key], rule, found, [...keys, key]);
    return count;
  }
  if (before !== now) differs();
  return 0;
}

/** Compares two states of a file. @param reading how the stage reads its numbers: of this file, if it has one */
export function compareStates(
  before: State,
  now: State,
  rule: CheckRule,
  store: Store,
  reading: Reading | undefined,
): Comparison {
  const leaves: Leaf[] = [];
  const compared = compare(before.numbers, now.numbers, rule, (leaf, keys) => {
    if (!reading?.covers(keys)) leaves.push(leaf);
  });
  const [was, is] = [before, now].map(({ numbers, record }) => resultOf(numbers, record, store));
  return { compared, leaves, effects: reading?.compare(was, is) ?? [] };
}

/** A value of a leaf, as the tables show it. */
export const shownValue = (value: unknown): string =>
  value === undefined ? "(none)" : JSON.stringify(value);

/** The rows of a table of measurements. @param before the heading of the earlier state */
export const effectRows = (effects: Compared[], before: string): string[][] => [
  ["measurement", before, "now", "difference", "95 %", "p (Holm)", "by"],
  ...effects.map((effect) => [effect.path.join("."), ...effectCells(effect)]),
];
