/** Copies of outputs where people look: reports/. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plan } from "./plan.ts";
import { scratchName, sweep } from "./scratch.ts";
import { hashFile } from "./statcache.ts";
import { filesBelow, type Store } from "./store.ts";

/** Copies a file in one step: nobody ever finds half of it. */
function copy(from: string, to: string): void {
  const half = scratchName(to);
  try {
    copyFileSync(from, half);
    chmodSync(half, 0o644);
    renameSync(half, to);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/**
 * Copies what published stages made into their folders, where it differs. A measured output is copied when
 * its stage ran or its file is not there: a run that did nothing leaves the clock's words alone.
 * @param ran ids of the instances that ran just now
 * @returns the folders in which something was written
 */
export function publish(plan: Plan, store: Store, root: string, ran: Set<string>): string[] {
  const changed = new Set<string>();
  for (const task of plan.tasks) {
    if (task.publish === undefined) continue;
    const state = plan.states.get(task.id)!;
    if (state.kind !== "hit" && state.kind !== "done") continue;
    for (const [name, { path, measured }] of Object.entries(task.outputs)) {
      const target = join(root, task.publish, path);
      const files = store.filesOf(state.record.outputs[name]);
      const wanted = new Set(files.map(([file]) => file));
      if (path.endsWith("/") && existsSync(target))
        for (const file of filesBelow(target))
          if (!wanted.has(file)) {
            rmSync(join(target, file));
            changed.add(task.publish);
          }
      for (const [file, object, hash] of files) {
        const to = file ? join(target, file) : target;
        const there = existsSync(to);
        if (there && ((measured && !ran.has(task.id)) || hashFile(to) === hash)) continue;
        mkdirSync(dirname(to), { recursive: true });
        sweep(dirname(to));
        copy(object, to);
        changed.add(task.publish);
      }
    }
  }
  return [...changed];
}

/** What published stages must have in the store, for {@link publish}: the first fault of each. */
export function missingForPublish(plan: Plan, store: Store, root: string): { id: string; fault: string }[] {
  const missing: { id: string; fault: string }[] = [];
  for (const task of plan.tasks) {
    const state = plan.states.get(task.id)!;
    if (task.publish === undefined || state.kind !== "hit") continue;
    for (const [name, { path, measured }] of Object.entries(task.outputs)) {
      const output = state.record.outputs[name];
      const same = store.filesOf(output).every(([file, , hash]) => {
        const to = join(root, task.publish!, path, file);
        return existsSync(to) && (measured || hashFile(to) === hash);
      });
      const fault = same ? "" : store.faultOf(output);
      if (fault) {
        missing.push({ id: task.id, fault });
        break;
      }
    }
  }
  return missing;
}
