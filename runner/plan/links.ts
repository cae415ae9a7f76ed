/** The links between tasks: the files that one takes from another. */
import type { Task } from "./task.ts";

export class Links {
  private readonly above = new Map<string, string[]>();
  private readonly below = new Map<string, Task[]>();

  constructor(tasks: Task[]) {
    for (const task of tasks) {
      const above = aboveOf(task);
      this.above.set(task.id, above);
      for (const id of above) {
        const found = this.below.get(id);
        if (found) found.push(task);
        else this.below.set(id, [task]);
      }
    }
  }

  /** The ids of the instances that a task takes files from, each once. */
  upstream(task: Task): string[] {
    return this.above.get(task.id)!;
  }

  /** The tasks that take files from an instance. */
  downstream(id: string): Task[] {
    return this.below.get(id) ?? [];
  }
}

function aboveOf({ inputs }: Task): string[] {
  const ids = Object.values(inputs).flatMap((list) => list.flatMap((one) => ("id" in one ? [one.id] : [])));
  return ids.length > 1 ? [...new Set(ids)] : ids;
}
