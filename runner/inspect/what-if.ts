/** The output of `what-if`: the stages that a change would run, and their time by that of past runs. */

import type { Plan, Task } from "../plan/index.ts";
import type { Store } from "../store/index.ts";
import { columns, counted, duration, listed } from "../text/index.ts";
import { Forecast } from "./forecast.ts";
import { byStage } from "./graph.ts";

/**
 * The stages that would run and their expected times; one line a stage, then the sum.
 * @param cores that the run would have
 * @param width of the terminal, if it is one
 */
export function whatIf(plan: Plan, store: Store, cores: number, width?: number): string {
  const forecast = new Forecast(plan, store, cores);
  const runs = forecast.open();
  const secondsOf = (task: Task) => forecast.of(task)?.seconds ?? 0;
  const rows = [...byStage(runs)].map(([stage, tasks]) => {
    const sum = tasks.reduce((sum, task) => sum + secondsOf(task), 0);
    const states = tasks.map(({ id }) => plan.states.get(id)!);
    const reasons = [...new Set(states.flatMap((state) => (state.kind === "miss" ? [state.reason] : [])))];
    const waits = new Set(
      states.flatMap((state) => (state.kind === "waits" ? state.for.map((id) => plan.task(id).stage) : [])),
    );
    const unknown = tasks.filter((task) => !forecast.of(task)).length;
    const time =
      unknown === tasks.length
        ? "never timed"
        : `${duration(sum)}${unknown ? `, ${unknown} never timed` : ""}`;
    const why = [
      ...reasons.slice(0, 2),
      ...(reasons.length > 2 ? ["…"] : []),
      ...(waits.size ? [`if other bytes come from ${listed([...waits])}`] : []),
    ];
    return [stage, counted(tasks.length, "run"), time, why.join("; ")];
  });
  if (rows.length === 0)
    return `Nothing would run: all ${counted(plan.tasks.length, "stage")} are up to date.`;
  const table = columns(rows, width);
  const known = runs.flatMap((task) => forecast.of(task) ?? []);
  const same = known.filter(({ apart }) => apart === 0).length;
  const most = `At most ${counted(runs.length, "stage")} of ${plan.tasks.length} would run`;
  if (known.length === 0)
    return [...table, `${most}. None of them has run before: their time is unknown.`].join("\n");
  const work = runs.reduce((sum, task) => sum + secondsOf(task), 0);
  const length = forecast.left().seconds;
  const rests = [
    ...(same ? [`${same} on runs with the same params`] : []),
    ...(known.length > same ? [`${known.length - same} on the nearest run of their stage`] : []),
    ...(runs.length > known.length ? [`${runs.length - known.length} never ran and count for nothing`] : []),
  ];
  return [
    ...table,
    `${most}: ${duration(work)} of work, about ${duration(length)} on ${counted(cores, "core")}.`,
    `Of these times, ${rests.join(", ")}.`,
  ].join("\n");
}
