/** What `why` prints: the old and the new value of exactly what changed, or what a result rests on. */
import type { KeyParts } from "../code/index.ts";
import { type Plan, partsOf, type Task } from "../plan/index.ts";
import type { StageRecord, Store } from "../store/index.ts";

/** More than this upstream is counted, not named. */
const MOST = 5;

/** One thing on the line, several below it. */
const lines = (head: string, items: string[]): string =>
  items.length === 1 ? `${head} ${items[0]}` : [head, ...items.map((item) => `  ${item}`)].join("\n");

/** Why the inputs of a task are not what they were: what changed in the makers, and in theirs. */
function causes(plan: Plan, store: Store, task: Task, before: StageRecord, told: Set<string>): string[] {
  const now = plan.origins(task);
  return Object.entries(now).flatMap(([input, makers]) =>
    makers.flatMap((maker, index) => {
      const old = before.from?.[input]?.[index];
      if (!old || "file" in old || "file" in maker || old.key === maker.key || told.has(maker.id)) return [];
      told.add(maker.id);
      const record = store.record(old.key);
      const upstream = plan.task(maker.id);
      const ingredients = plan.ingredients(upstream);
      if (!record || !ingredients) return [];
      const changes = plan.changes(upstream, record, ingredients);
      return [
        ...changes.map((change) => `because of ${maker.id}: ${change}`),
        ...causes(plan, store, upstream, record, told),
      ];
    }),
  );
}

/** What a result rests on. */
function known(task: Task, record: StageRecord, store: Store): string {
  const notes = Object.entries(record.notes).map(([name, value]) => `${name} ${value}`);
  return [
    `${task.id}: up to date`,
    `  key ${record.key.slice(0, 16)}, made ${record.ended} in ${record.seconds} s${record.peakMegabytes ? ` (${record.peakMegabytes} MB)` : ""} on ${record.machine.host}, Node ${record.machine.node}`,
    ...(notes.length ? [`  ${notes.join(", ")}`] : []),
    ...Object.entries(record.outputs).map(
      ([name, output]) =>
        `  ${name}: ${output.hash.slice(0, 16)}, ${(output.bytes / 1e6).toFixed(2)} MB${output.measured ? ", measured" : ""}`,
    ),
    `  log ${store.logPath(record.key)}`,
  ].join("\n");
}

/** Why a task waits: what changed in itself, and what runs upstream. */
function waiting(plan: Plan, task: Task, before: StageRecord | undefined, waitsFor: string[]): string {
  // Of the inputs nothing is known yet: as they were, they count for unchanged.
  const own = before ? plan.changes(task, before, { ...before, ...partsOf(task) } as KeyParts) : [];
  const reach = new Set(waitsFor);
  for (const id of reach) for (const next of plan.upstream(plan.task(id))) reach.add(next);
  const runs = [...reach].flatMap((id) => {
    const state = plan.states.get(id)!;
    return state.kind === "miss" ? [`${id} runs: ${state.reason}`] : [];
  });
  const what = before
    ? own.length
      ? `runs: ${own.join("; ")}`
      : "runs only if what comes from upstream changes"
    : "never ran";
  const rest = runs.length - MOST;
  return [
    `${task.id}: ${what}; waits for ${waitsFor.join(", ")}`,
    ...runs.slice(0, MOST).map((line) => `  ${line}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join("\n");
}

/** Why each instance of a stage would run, or what its result rests on. */
export function why(plan: Plan, store: Store, latest: Record<string, string>, wanted: string): string {
  return plan.tasks
    .filter((task) => task.id === wanted || task.stage === wanted)
    .map((task) => {
      const state = plan.states.get(task.id)!;
      const before = latest[task.id] ? store.record(latest[task.id]) : undefined;
      switch (state.kind) {
        case "hit":
          return known(task, state.record, store);
        case "miss": {
          const now = plan.ingredients(task)!;
          const changes = before ? plan.changes(task, before, now) : [];
          if (!before || changes.length === 0) return `${task.id}: runs: ${state.reason}`;
          return lines(`${task.id}: runs:`, [...changes, ...causes(plan, store, task, before, new Set())]);
        }
        case "waits":
          return waiting(plan, task, before, state.for);
        default:
          return `${task.id}: ${state.kind}`;
      }
    })
    .join("\n");
}
