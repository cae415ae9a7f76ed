/** The output of `why`: the old and the new value of every change, or the origin of a result. */
import type { KeyParts } from "../code/index.ts";
import { type Plan, partsOf, type Task } from "../plan/index.ts";
import type { StageRecord, Store } from "../store/index.ts";

/** Changes upstream that are listed; of more, the count. */
const MOST = 5;

/** Up-to-date instances that are shown with all that is known of them; of more, one line each. */
const FULL = 3;

/** A head with its one item on the same line, or several below it. */
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

/** The origin of a result: its key, time, notes, outputs and log. */
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
    `${what}; waits for ${waitsFor.join(", ")}`,
    ...runs.slice(0, MOST).map((line) => `  ${line}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join("\n");
}

/** A text in which `[…]` stands for the point of every instance. */
const pointless = (text: string): string => text.replace(/(?<=[\w-])\[[^\]\n]*=[^\]\n]*\]/g, "[…]");

/** One line of an up-to-date instance. */
const knownBriefly = ({ id }: Task, { key, ended, seconds }: StageRecord): string =>
  `${id}: up to date, key ${key.slice(0, 16)}, made ${ended} in ${seconds} s`;

/** The explanation of one instance, from its name on. */
interface Answer {
  task: Task;
  /** After `ID: `. */
  text: string;
}

/** Answers as lines; those that differ only in the points of instances share one. */
function folded(answers: Answer[]): string[] {
  const groups = new Map<string, Answer[]>();
  for (const answer of answers) {
    const text = pointless(answer.text);
    const same = groups.get(text);
    if (same) same.push(answer);
    else groups.set(text, [answer]);
  }
  return [...groups].map(([text, same]) => {
    const [{ task, text: own }] = same;
    if (same.length === 1) return `${task.id}: ${own}`;
    const who =
      same.length === answers.length
        ? `${task.stage}: ${same.length} instances`
        : `${task.id} and ${same.length - 1} more`;
    return `${who}: ${[...new Set(text.split("\n"))].join("\n")}`;
  });
}

/** Why one task without a result runs, waits, or does not. */
function answerOf(plan: Plan, store: Store, latest: Record<string, string>, task: Task): string {
  const state = plan.states.get(task.id)!;
  const before = latest[task.id] ? store.record(latest[task.id]) : undefined;
  if (state.kind === "waits") return waiting(plan, task, before, state.for);
  if (state.kind !== "miss") return state.kind;
  const now = plan.ingredients(task)!;
  const changes = before ? plan.changes(task, before, now) : [];
  if (!before || changes.length === 0) return `runs: ${state.reason}`;
  return lines("runs:", [...changes, ...causes(plan, store, task, before, new Set())]);
}

/**
 * Why each of some instances of a stage would run, or what its result rests on.
 * @param all whether to show every instance in full; else equal answers share one
 */
export function why(
  plan: Plan,
  store: Store,
  latest: Record<string, string>,
  tasks: Task[],
  all = false,
): string {
  const hits = tasks.flatMap((task) => {
    const state = plan.states.get(task.id)!;
    return state.kind === "hit" ? [{ task, record: state.record }] : [];
  });
  const isBrief = !all && hits.length > FULL;
  const answers = tasks
    .filter((task) => plan.states.get(task.id)!.kind !== "hit")
    .map((task) => ({ task, text: answerOf(plan, store, latest, task) }));
  return [
    ...hits.map(({ task, record }) => (isBrief ? knownBriefly(task, record) : known(task, record, store))),
    ...(all ? answers.map(({ task, text }) => `${task.id}: ${text}`) : folded(answers)),
    ...(isBrief ? ["The outputs, notes and log of each: name one instance, or add --all."] : []),
  ].join("\n");
}
