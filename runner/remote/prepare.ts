/** Looks up a task in the shared cache before it would run. */
import { codesOf, type Plan, type Task } from "../plan/index.ts";
import { unpublished } from "../publish/index.ts";
import type { StageRecord, Store, StoredOutput } from "../store/index.ts";
import type { SharedCache } from "./shared-cache.ts";

/**
 * Looks up a task that would run in the shared cache, and fetches its record, with the files that publishing it
 * needs; else the files it needs itself.
 * @returns the record; undefined when it must run
 */
export async function prepare(
  task: Task,
  key: string,
  plan: Plan,
  store: Store,
  root: string,
  cache: SharedCache,
): Promise<StageRecord | undefined> {
  const record = plan.mustRun(task) ? undefined : await cache.record(key, task);
  if (record && (await cache.bring(unpublished(task, record, store, root), true))) {
    for (const [hash, facts] of codesOf(task)) store.keepCode(hash, facts);
    store.keepPromise(record);
    store.redeem(record);
    cache.count.fetched++;
    return record;
  }
  const makers = new Map<StageRecord, StoredOutput[]>();
  for (const reference of Object.values(task.inputs).flat()) {
    const state = "id" in reference ? plan.states.get(reference.id)! : undefined;
    if (!("id" in reference) || (state?.kind !== "hit" && state?.kind !== "done")) continue;
    const wanted = makers.get(state.record) ?? [];
    makers.set(state.record, [...wanted, state.record.outputs[reference.output]]);
  }
  await Promise.all(
    [...makers].map(async ([maker, outputs]) => {
      if (await cache.bring(outputs, store.isPromise(maker.key))) store.redeem(maker);
    }),
  );
  return undefined;
}
