/** Copies of outputs where people look: reports/. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plan } from "./plan.ts";
import type { StageRecord, StoredOutput } from "./record.ts";
import type { Task } from "./resolve.ts";
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

/** The outputs of a published task that {@link publish} would have to copy out of the store. */
export function unpublished(task: Task, record: StageRecord, store: Store, root: string): StoredOutput[] {
  const { publish } = task;
  if (publish === undefined) return [];
  return Object.entries(task.outputs).flatMap(([name, { path, measured }]) => {
    const output = record.outputs[name];
    const same = store.filesOf(output).every(([file, , hash]) => {
      const to = join(root, publish, path, file);
      return existsSync(to) && (measured || hashFile(to) === hash);
    });
    return same ? [] : [output];
  });
}

/** What a published task must have in the store, for {@link publish}, and has not. */
export interface Missing {
  id: string;
  record: StageRecord;
  outputs: StoredOutput[];
  /** The first fault of these outputs. */
  fault: string;
}

/** What published stages must have in the store, for {@link publish}. */
export function missingForPublish(plan: Plan, store: Store, root: string): Missing[] {
  return plan.tasks.flatMap((task): Missing[] => {
    const state = plan.states.get(task.id)!;
    if (state.kind !== "hit") return [];
    const { record } = state;
    const found = unpublished(task, record, store, root).map(
      (output) => [output, store.faultOf(output)] as const,
    );
    const lacking = found.filter(([, fault]) => fault);
    if (lacking.length === 0) return [];
    return [{ id: task.id, record, outputs: lacking.map(([output]) => output), fault: lacking[0][1] }];
  });
}
