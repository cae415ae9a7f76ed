/** The check of the numbers: what a run finds now, against the report that was committed. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckRule } from "./load.ts";
import type { Plan } from "./plan.ts";
import type { Store } from "./store.ts";

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
  found: (path: string, committed: unknown, now: unknown) => void,
  path = "",
): number {
  if (typeof committed === "number" && typeof now === "number") {
    const same = rule === "exact" ? Object.is(committed, now) : Math.abs(committed - now) <= rule.tolerance;
    if (!same) found(path, committed, now);
    return 1;
  }
  const isTree = (value: unknown) => value !== null && typeof value === "object";
  if (isTree(committed) && isTree(now) && Array.isArray(committed) === Array.isArray(now)) {
    const [a, b] = [committed, now] as Record<string, unknown>[];
    let count = 0;
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      count += compare(a[key], b[key], rule, found, path ? `${path}.${key}` : key);
    return count;
  }
  if (committed !== now) found(path, committed, now);
  return 0;
}

/** The committed text of a file; undefined when there is none. Outside a git checkout, the file on disk. */
function committedText(root: string, file: string): { text?: string; against: string } {
  try {
    execFileSync("git", ["rev-parse", "--verify", "--quiet", "HEAD"], { cwd: root, stdio: "pipe" });
  } catch {
    const path = join(root, file);
    return { text: existsSync(path) ? readFileSync(path, "utf8") : undefined, against: "on disk" };
  }
  try {
    const text = execFileSync("git", ["show", `HEAD:./${file}`], {
      cwd: root,
      stdio: "pipe",
      maxBuffer: 1 << 28,
    });
    return { text: text.toString(), against: "as committed" };
  } catch {
    return { against: "as committed" };
  }
}

/** Compares every published, unmeasured JSON file with its committed state. */
export function check(plan: Plan, store: Store, root: string, rule: CheckRule): CheckResult {
  const result: CheckResult = {
    compared: 0,
    files: 0,
    differences: [],
    missing: [],
    against: "as committed",
  };
  for (const task of plan.tasks) {
    const state = plan.states.get(task.id)!;
    if (task.publish === undefined || (state.kind !== "hit" && state.kind !== "done")) continue;
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
        result.files++;
        result.compared += compare(
          JSON.parse(text),
          // A result of a shared cache that was published already has no object here: its copy was compared.
          JSON.parse(readFileSync(existsSync(object) ? object : join(root, file), "utf8")),
          rule,
          (at, committed, now) => result.differences.push({ file, path: at, committed, now }),
        );
      }
    }
  }
  return result;
}
