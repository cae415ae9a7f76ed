/** The output of `status` and `graph`. */
import { NEVER_RAN, type Plan, type State, type Task } from "../plan/index.ts";
import { columns, counted, listed } from "../text/index.ts";

/** The tasks by stage, in order. */
export function byStage(tasks: Task[]): Map<string, Task[]> {
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const group = groups.get(task.stage);
    if (group) group.push(task);
    else groups.set(task.stage, [task]);
  }
  return groups;
}

/** Characters of the reasons of a stage: with more, the first reason is shown, and the others are counted. */
const REASONS = 100;

/** Why the instances of a stage run, on about one line. */
function briefly(reasons: string[]): string {
  const two = `${reasons.slice(0, 2).join("; ")}${reasons.length > 2 ? "; …" : ""}`;
  const [first] = reasons;
  if (reasons.length === 1 || two.length <= REASONS) return two;
  return `${first}; and ${counted(reasons.length - 1, "other reason")}`;
}

/** One row a stage, and what tells more of the changes. @param width of the terminal, if it is one */
export function status(plan: Plan, width?: number): string {
  const rows: string[][] = [];
  let isChanged = false;
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
      isChanged ||= reasons.some((reason) => reason !== NEVER_RAN);
      say.push(
        `${misses.length > 1 || tasks.length > 1 ? `${misses.length} ` : ""}to run (${briefly(reasons)})`,
      );
    }
    if (waiting.length) {
      const on = [...new Set(waiting.flatMap((state) => state.for.map((id) => id.replace(/\[.*/, ""))))];
      say.push(
        `${waiting.length > 1 || tasks.length > 1 ? `${waiting.length} ` : ""}waiting for ${listed(on)}`,
      );
    }
    rows.push([stage, say.join(", ")]);
  }
  const hint = isChanged ? ["The command why STAGE names what changed."] : [];
  return [...columns(rows, width), ...hint].join("\n");
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
  // Mermaid has words of its own ("end"), so that no stage's name may be alone.
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
