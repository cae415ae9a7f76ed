/** The check of the numbers: what a run finds now, against the report that was committed. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../files/index.ts";
import { commitOf, fileAt } from "../git/index.ts";
import type { Plan } from "../plan/index.ts";
import type { Compared } from "../stage.ts";
import type { Store } from "../store/index.ts";
import type { CheckRule } from "../study/index.ts";
import { columns, effectCells, SIGNIFICANT } from "../text/index.ts";
import { makerOf, readingOf, resultOf } from "./reading.ts";

/** One number (or word) that is not what was committed. */
export interface Difference {
  file: string;
  path: string;
  committed: unknown;
  now: unknown;
}

export interface CheckResult {
  compared: number;
  files: number;
  differences: Difference[];
  /** Measurements with noise, where the rule is a tolerance and the stage can tell. */
  effects: (Compared & { file: string })[];
  /** Published JSON files that no committed file stands against. */
  missing: string[];
  /** "as committed" or, outside git, "on disk". */
  against: string;
}

/** Compares two JSON values leaf by leaf; counts the numbers. Numbers differ when further apart than `rule` allows. */
export function compare(
  committed: unknown,
  now: unknown,
  rule: CheckRule,
  found: (path: string, committed: unknown, now: unknown, keys: string[]) => void,
  keys: string[] = [],
): number {
  const differs = () => found(keys.join("."), committed, now, keys);
  if (typeof committed === "number" && typeof now === "number") {
    const same = rule === "exact" ? Object.is(committed, now) : Math.abs(committed - now) <= rule.tolerance;
    if (!same) differs();
    return 1;
  }
  const isTree = (value: unknown) => value !== null && typeof value === "object";
  if (isTree(committed) && isTree(now) && Array.isArray(committed) === Array.isArray(now)) {
    const [a, b] = [committed, now] as Record<string, unknown>[];
    let count = 0;
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      count += compare(a[key], b[key], rule, found, [...keys, key]);
    return count;
  }
  if (committed !== now) differs();
  return 0;
}

/** The committed text of a file; undefined when there is none. Outside a git checkout, the file on disk. */
function committedText(root: string, file: string): { text?: string; against: string } {
  if (commitOf(root, "HEAD")) return { text: fileAt(root, "HEAD", file), against: "as committed" };
  const path = join(root, file);
  return { text: existsSync(path) ? readFileSync(path, "utf8") : undefined, against: "on disk" };
}

/** Compares every published, unmeasured JSON file with its committed state. */
export async function check(plan: Plan, store: Store, root: string, rule: CheckRule): Promise<CheckResult> {
  const result: CheckResult = {
    compared: 0,
    files: 0,
    differences: [],
    effects: [],
    missing: [],
    against: "as committed",
  };
  for (const task of plan.tasks) {
    const state = plan.states.get(task.id)!;
    if (task.publish === undefined || (state.kind !== "hit" && state.kind !== "done")) continue;
    const reading = rule === "exact" ? undefined : await readingOf(root, task.uses);
    for (const [name, { path, measured }] of Object.entries(task.outputs)) {
      if (measured) continue;
      for (const [below, object] of store.filesOf(state.record.outputs[name])) {
        const file = join(task.publish, path, below);
        if (!file.endsWith(".json")) continue;
        const { text, against } = committedText(root, file);
        result.against = against;
        if (text === undefined) {
          result.missing.push(file);
          continue;
        }
        const own = reading?.output === name ? reading : undefined;
        const before = JSON.parse(text);
        // A result of a shared cache that was published already has no object here: its copy was compared.
        const after = JSON.parse(readFileSync(existsSync(object) ? object : join(root, file), "utf8"));
        result.files++;
        result.compared += compare(before, after, rule, (at, committed, now, keys) => {
          if (!own?.covers(keys)) result.differences.push({ file, path: at, committed, now });
        });
        const maker = own && makerOf(store, task.stage, sha256(text));
        for (const effect of own?.compare(
          resultOf(before, maker, store),
          resultOf(after, state.record, store),
        ) ?? [])
          result.effects.push({ ...effect, file });
      }
    }
  }
  return result;
}

/** Whether a measurement fell by more than is tolerated, and not by chance. Without an interval nothing says it was chance. */
export const isDrop = ({ difference, p = 0 }: Compared, tolerance: number): boolean =>
  difference < -tolerance && p < SIGNIFICANT;

/** More rows than this say no more. */
const MOST_ROWS = 100;

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** What `check` says of its result: lines for a person, the verdict last. @param table lays out rows of cells */
export function verdict(
  result: CheckResult,
  rule: CheckRule,
  table: (rows: string[][]) => string[] = columns,
): { passed: boolean; lines: string[] } {
  const { compared, files, differences, effects, missing, against } = result;
  const lines = missing.map(
    (file) => `${file}: is not committed, so nothing stands against it. Commit it first.`,
  );
  const show = (value: unknown) => (value === undefined ? "(none)" : JSON.stringify(value));
  const rows = differences.slice(0, MOST_ROWS).map(({ file, path, committed, now }) => {
    const change =
      typeof committed === "number" && typeof now === "number" ? (now - committed).toExponential(2) : "";
    return [`${file.replace(/^reports\//, "")} ${path}`, show(committed), show(now), change];
  });
  if (rows.length) lines.push(...table([["number", "committed", "now", "difference"], ...rows]));
  if (differences.length > rows.length) lines.push(`… and ${differences.length - rows.length} more`);
  if (compared === 0)
    return {
      passed: false,
      lines: [
        ...lines,
        "check: no number was compared. A profile that is checked must publish JSON files, and they must be committed.",
      ],
    };
  const tolerance = rule === "exact" ? 0 : rule.tolerance;
  const moved = effects.filter(({ difference }) => Math.abs(difference) > tolerance);
  const drops = effects.filter((effect) => isDrop(effect, tolerance));
  if (moved.length)
    lines.push(
      ...table([
        ["measurement", "committed", "now", "difference", "95 %", "p (Holm)", "by"],
        ...moved.map((effect) => [effect.path.join("."), ...effectCells(effect)]),
      ]),
    );
  const passed = differences.length + missing.length + drops.length === 0;
  const noise = effects.length
    ? `; ${counted(effects.length, "measurement")} held against their noise, ${moved.length} moved by more than ${tolerance}, ${drops.length} of them significantly down`
    : "";
  const how = rule === "exact" ? "exactly" : `within ${rule.tolerance}`;
  lines.push(
    `Check ${passed ? "passed" : "FAILED"}: ${counted(compared, "number")} in ${counted(files, "file")} compared ${how} with the report ${against}; ${counted(differences.length, "difference")}${noise}.`,
  );
  return { passed, lines };
}
