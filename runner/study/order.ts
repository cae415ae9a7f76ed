/** The order of stage instances: each after those it takes files from. */
import { UserError } from "../stage.ts";
import { oneLine } from "../text/index.ts";

interface Instance {
  id: string;
  stage: string;
  inputs: Record<string, ({ id: string; glob?: object } | { file: string })[]>;
  at(...path: string[]): string;
}

/** Whether each comes after those it takes files from, as most files write them: the search then changes nothing. */
function isInOrder(instances: Instance[]): boolean {
  const before = new Set<string>();
  for (const { id, inputs } of instances) {
    for (const name in inputs)
      for (const one of inputs[name])
        if ("id" in one && one.glob === undefined && !before.has(one.id)) return false;
    before.add(id);
  }
  return true;
}

/**
 * Upstream before downstream, otherwise in their order. A glob that is not settled yet orders nothing: which of its
 * stages have the output is known later.
 * @throws UserError when the stages form a circle
 */
export function inOrder<One extends Instance>(instances: One[]): One[] {
  if (isInOrder(instances)) return instances;
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  const upstream = ({ inputs }: One): One[] =>
    Object.values(inputs).flatMap((list) =>
      list.flatMap((one) => ("id" in one && one.glob === undefined ? [byId.get(one.id)!] : [])),
    );
  const order: One[] = [];
  const state = new Map<One, "open" | "done">();
  for (const first of instances) {
    if (state.has(first)) continue;
    // The way from `first` to where it is, with the rest to visit at each step: a chain may be longer than the stack.
    const way = [{ instance: first, left: upstream(first).values() }];
    state.set(first, "open");
    while (way.length) {
      const { instance, left } = way.at(-1)!;
      const next = left.next();
      if (next.done) {
        state.set(instance, "done");
        order.push(instance);
        way.pop();
      } else if (state.get(next.value) === "open") {
        const open = way.map((step) => step.instance);
        const circle = [...open.slice(open.indexOf(next.value)), next.value];
        throw new UserError(
          oneLine(
            `${circle[0].at("inputs")} stages form a circle: ${circle
              .map((one) => one.stage)
              .reverse()
              .join(" → ")}. Remove one of these inputs.`,
          ),
        );
      } else if (!state.has(next.value)) {
        state.set(next.value, "open");
        way.push({ instance: next.value, left: upstream(next.value).values() });
      }
    }
  }
  return order;
}
