/** The inputs and the upstream runs that a task sees, and a check that its files stayed the same meanwhile. */
import { resolve as absolute, basename, join, relative, sep } from "node:path";
import { changedBetween, type Stamps, stampsOf } from "../files/index.ts";
import { COMMAND_INPUT, type Plan, type Task, tolerantInputs } from "../plan/index.ts";
import type { InputFile, UpstreamRun } from "../stage.ts";
import type { Store } from "../store/index.ts";
import { listed } from "../text/index.ts";
import { StageError } from "./failure.ts";

/** Shows a task its inputs, each under its natural name. */
export async function showInputs(
  task: Task,
  plan: Plan,
  store: Store,
  root: string,
  scratch: string,
): Promise<Record<string, InputFile[]>> {
  const shown: Record<string, InputFile[]> = {};
  for (const [name, references] of Object.entries(task.inputs)) {
    // A task sees nothing that is not in its key.
    const named = task.named.includes(name);
    shown[name] = [];
    for (const [index, reference] of references.entries()) {
      if (!("id" in reference)) {
        shown[name].push({
          path: absolute(root, reference.file),
          id: named ? reference.file : "",
          point: {},
          hash: store.hashInput(absolute(root, reference.file)),
        });
        continue;
      }
      const maker = plan.task(reference.id);
      const state = plan.states.get(reference.id)!;
      if (state.kind !== "hit" && state.kind !== "done") throw new Error(`${reference.id} is not known yet`);
      const output = state.record.outputs[reference.output];
      const path = join(scratch, "in", name, String(index), basename(maker.outputs[reference.output].path));
      // A command may ask what kind of file it has, or pack it: a stage's own code opens it by its path.
      await store.show(output, path, task.run !== undefined);
      shown[name].push({
        path,
        id: named ? reference.id : "",
        point: named ? maker.point : {},
        hash: output.hash,
      });
    }
  }
  return shown;
}

/** How all came to be that a task rests on, in the order of the plan. */
export function upstreamOf(task: Task, plan: Plan): UpstreamRun[] {
  const makers = ({ inputs }: Task) => [
    ...new Set(Object.values(inputs).flatMap((list) => list.flatMap((one) => ("id" in one ? [one.id] : [])))),
  ];
  const found = new Set<string>();
  const visit = (one: Task): void => {
    for (const id of makers(one))
      if (!found.has(id)) {
        found.add(id);
        visit(plan.task(id));
      }
  };
  visit(task);
  return plan.tasks
    .filter(({ id }) => found.has(id))
    .flatMap((maker): UpstreamRun[] => {
      const state = plan.states.get(maker.id)!;
      if (state.kind !== "hit" && state.kind !== "done") return [];
      const { seconds, peakMegabytes } = state.record;
      const { id, stage } = maker;
      return [{ id, stage, from: makers(maker), hit: state.kind === "hit", seconds, peakMegabytes }];
    });
}

/** The stamps of the project's files that a task takes. */
export const stampsOfInputs = (task: Task, root: string): Stamps =>
  stampsOf(
    Object.values(task.inputs)
      .flat()
      .flatMap((one) => ("file" in one ? [absolute(root, one.file)] : [])),
    new Set(tolerantInputs(task, root)),
  );

/**
 * Holds the inputs of a task against what they were: one that changed, and changed back, may have been read as it was
 * in between, though its key does not cover that.
 * @throws StageError
 */
export function checkUnchanged(task: Task, root: string, before: Stamps): void {
  let changed: string[];
  try {
    changed = changedBetween(before, stampsOfInputs(task, root));
  } catch (error) {
    changed = [(error as Error).message.replace(/\.$/, "")];
  }
  if (changed.length === 0) return;
  const names = listed(changed.map((path) => (path.startsWith(root + sep) ? relative(root, path) : path)));
  const own = task.inputs[COMMAND_INPUT]?.some(
    (one) => "file" in one && changed.includes(absolute(root, one.file)),
  );
  throw new StageError(
    `its input changed while it ran (${names}), so its result was not kept. ${own ? "Its command names that file; let it write to ${out.NAME}." : "Run again when nothing writes there."}`,
    "user",
  );
}
