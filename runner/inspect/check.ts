/** Compares the numbers of a run with the committed report. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../files/index.ts";
import { commitOf, fileAt } from "../git/index.ts";
import type { Plan } from "../plan/index.ts";
import type { Compared } from "../stage.ts";
import type { Store } from "../store/index.ts";
import type { CheckRule } from "../study/index.ts";
import { columns, counted, SIGNIFICANT } from "../text/index.ts";
import { compareStates, effectRows, type Leaf, MOST_ROWS, shownValue } from "./numbers.ts";
import { makerOf, readingOf } from "./reading.ts";

/** One number or word that differs from the committed one. */
export interface Difference extends Leaf {
  file: string;
}

export interface CheckResult {
  compared: number;
  files: number;
  differences: Difference[];
  /** Measurements with noise, where the rule is a tolerance and the stage can tell. */
  effects: (Compared & { file: string })[];
  /** Published JSON files that are not committed. */
  missing: string[];
  /** "as committed" or, outside git, "on disk". */
  against: string;
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
        // A result of a shared cache that was published already has no object here: its copy was compared.
        const now = JSON.parse(readFileSync(existsSync(object) ? object : join(root, file), "utf8"));
        const before = { numbers: JSON.parse(text), record: own && makerOf(store, task.stage, sha256(text)) };
        const found = compareStates(before, { numbers: now, record: state.record }, rule, store, own);
        result.files++;
        result.compared += found.compared;
        result.differences.push(...found.leaves.map((leaf) => ({ ...leaf, file })));
        result.effects.push(...found.effects.map((effect) => ({ ...effect, file })));
      }
    }
  }
  return result;
}

/** Whether a measurement dropped significantly and by more than the tolerance; one without an interval counts as significant. */
export const isDrop = ({ difference, p = 0 }: Compared, tolerance: number): boolean =>
  difference < -tolerance && p < SIGNIFICANT;

/** The lines that `check` prints, the verdict last. @param table lays out rows of cells */
export function verdict(
  result: CheckResult,
  rule: CheckRule,
  table: (rows: string[][]) => string[] = columns,
): { passed: boolean; lines: string[] } {
  const { compared, files, differences, effects, missing, against } = result;
  const lines = missing.map(
    (file) => `${file}: is not committed, so there is nothing to compare it with. Commit it first.`,
  );
  const rows = differences.slice(0, MOST_ROWS).map(({ file, path, before, now }) => {
    const change =
      typeof before === "number" && typeof now === "number" ? (now - before).toExponential(2) : "";
    return [`${file.replace(/^reports\//, "")} ${path}`, shownValue(before), shownValue(now), change];
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
  if (moved.length) lines.push(...table(effectRows(moved, "committed")));
  const passed = differences.length + missing.length + drops.length === 0;
  const noise = effects.length
    ? `; ${counted(effects.length, "measurement")} compared with their noise, ${moved.length} moved by more than ${tolerance}, ${drops.length} of them significantly down`
    : "";
  const how = rule === "exact" ? "exactly" : `within ${rule.tolerance}`;
  lines.push(
    `Check ${passed ? "passed" : "FAILED"}: ${counted(compared, "number")} in ${counted(files, "file")} compared ${how} with the report ${against}; ${counted(differences.length, "difference")}${noise}.`,
  );
  return { passed, lines };
}
