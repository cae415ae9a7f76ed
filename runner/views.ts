/** What `status`, `why` and `graph` print. */
import { difference, type Plan, type State } from "./plan.ts";
import type { Task } from "./resolve.ts";
import type { Store } from "./store.ts";

/** The tasks by stage, in order. */
function byStage(tasks: Task[]): Map<string, Task[]> {
  const groups = new Map<string, Task[]>();
  for (const task of tasks) groups.set(task.stage, [...(groups.get(task.stage) ?? []), task]);
  return groups;
}

/** One line a stage (one an instance where they differ in why). */
export function status(plan: Plan): string {
  const lines: string[] = [];
  const width = Math.max(...plan.tasks.map(({ stage }) => stage.length));
  for (const [stage, tasks] of byStage(plan.tasks)) {
    const states = tasks.map((task) => plan.states.get(task.id)!);
    const known = states.filter(({ kind }) => kind === "hit").length;
    const misses = tasks.flatMap((task) => {
      const state = plan.states.get(task.id)!;
      return state.kind === "miss" ? [{ id: task.id, reason: state.reason }] : [];
    });
    const waiting = states.filter((state): state is State & { kind: "waits" } => state.kind === "waits");
    const say: string[] = [];
    if (known)
      say.push(
        known === tasks.length && known > 1
          ? `all ${known} up to date`
          : `${known > 1 ? `${known} ` : ""}up to date`,
      );
    if (misses.length) {
      const reasons = [...new Set(misses.map(({ reason }) => reason))];
      say.push(
        `${misses.length > 1 || tasks.length > 1 ? `${misses.length} ` : ""}to run (${reasons.slice(0, 2).join("; ")}${reasons.length > 2 ? "; …" : ""})`,
      );
    }
    if (waiting.length) {
      const on = [...new Set(waiting.flatMap((state) => state.for.map((id) => id.replace(/\[.*/, ""))))];
      say.push(
        `${waiting.length > 1 || tasks.length > 1 ? `${waiting.length} ` : ""}waiting for ${on.join(", ")}`,
      );
    }
    lines.push(`${stage.padEnd(width)}  ${say.join(", ")}`);
  }
  return lines.join("\n");
}

/** Why each instance of a stage would run, or what its result rests on. */
export function why(plan: Plan, store: Store, latest: Record<string, string>, wanted: string): string {
  const tasks = plan.tasks.filter((task) => task.id === wanted || task.stage === wanted);
  return tasks
    .map((task) => {
      const state = plan.states.get(task.id)!;
      const now = plan.ingredients(task);
      switch (state.kind) {
        case "hit": {
          const { record } = state;
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
        case "miss":
          return `${task.id}: runs: ${state.reason}`;
        case "waits": {
          const before = latest[task.id] ? store.record(latest[task.id]) : undefined;
          const own =
            before && now === undefined
              ? difference(
                  before,
                  {
                    ...before,
                    code: task.codeHash,
                    params: task.params,
                    parts: Object.fromEntries(
                      Object.entries(task.parts).map(([param, part]) => [
                        param,
                        { name: part.name, code: part.code.hash, params: part.params },
                      ]),
                    ),
                  },
                  task.code?.packages ?? [],
                )
              : [];
          return `${task.id}: ${before ? (own.length ? `runs: ${own.join("; ")}` : "runs only if what comes from upstream changes") : "never ran"}; waits for ${state.for.join(", ")}`;
        }
        default:
          return `${task.id}: ${state.kind}`;
      }
    })
    .join("\n");
}

/** The DAG, a node a stage. */
export function graph(tasks: Task[], format: "mermaid" | "dot"): string {
  const groups = byStage(tasks);
  const edges = new Map<string, Set<string>>();
  const files = new Set<string>();
  for (const task of tasks)
    for (const reference of Object.values(task.inputs).flat()) {
      const from = "id" in reference ? reference.id.replace(/\[.*/, "") : reference.file;
      if (!("id" in reference)) files.add(from);
      const edge = `${from}\n${task.stage}`;
      edges.set(edge, (edges.get(edge) ?? new Set()).add("id" in reference ? reference.output : ""));
    }
  const label = (stage: string) => {
    const { length } = groups.get(stage)!;
    return length > 1 ? `${stage} × ${length}` : stage;
  };
  // Mermaid has words of its own ("end"), so that no stage's name may stand alone.
  const name = (text: string) =>
    `${files.has(text) ? "file" : "stage"}_${text.replace(/[^A-Za-z0-9]/g, "_")}`;
  const lines: string[] = [];
  if (format === "mermaid") {
    lines.push("flowchart TD");
    for (const file of files) lines.push(`  ${name(file)}[/"${file}"/]`);
    for (const stage of groups.keys()) lines.push(`  ${name(stage)}["${label(stage)}"]`);
    for (const [edge, outputs] of edges) {
      const [from, to] = edge.split("\n");
      const text = [...outputs].filter(Boolean).join(", ");
      lines.push(`  ${name(from)} -->${text ? `|${text}|` : ""} ${name(to)}`);
    }
  } else {
    lines.push("digraph pipeline {", "  rankdir=TB; node [shape=box, fontname=sans];");
    for (const file of files) lines.push(`  "${file}" [shape=note];`);
    for (const stage of groups.keys()) lines.push(`  "${stage}" [label="${label(stage)}"];`);
    for (const [edge, outputs] of edges) {
      const [from, to] = edge.split("\n");
      lines.push(`  "${from}" -> "${to}" [label="${[...outputs].filter(Boolean).join(", ")}"];`);
    }
    lines.push("}");
  }
  return lines.join("\n");
}
