/** How long tasks will take, by their records. */
import type { Task } from "../../plan/index.ts";
import type { Store } from "../../store/index.ts";

/**
 * Seconds of each task: those of its last record, else the mean of its stage's; none for a stage never run.
 * @param latest the key each instance last had
 */
export function estimates(tasks: Task[], store: Store, latest: Record<string, string>): Map<string, number> {
  const known = new Map<string, number>();
  const ofStage = new Map<string, { sum: number; count: number }>();
  for (const { id, stage } of tasks) {
    const record = latest[id] === undefined ? undefined : store.record(latest[id]);
    if (!record) continue;
    known.set(id, record.seconds);
    const { sum, count } = ofStage.get(stage) ?? { sum: 0, count: 0 };
    ofStage.set(stage, { sum: sum + record.seconds, count: count + 1 });
  }
  for (const { id, stage } of tasks) {
    const mean = ofStage.get(stage);
    if (!known.has(id) && mean) known.set(id, mean.sum / mean.count);
  }
  return known;
}
