/** The end of a run: the counts, the headlines of its published stages, their pages. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../plan/index.ts";
import { counted } from "../text/index.ts";

/** The result of a run. */
export interface Ending {
  profile: string;
  stages: number;
  ran: number;
  /** Stages that were up to date. */
  hits: number;
  /** Results that came from a shared cache. */
  fetched?: { count: number; from: string };
  failed: number;
  skipped: number;
  cancelled: boolean;
  /** Jobs of a cluster that are not finished. */
  left?: number;
  seconds: number;
}

/**
 * The up-to-date instances by their origin, each counted once: an instance whose result was lost meanwhile may have run
 * twice, or run after its result was fetched.
 * @param ran ids of the instances that ran, @param fetched of those that a shared cache had
 */
export function countsOf(
  plan: Plan,
  ran: Set<string>,
  fetched: Set<string>,
): { ran: number; hits: number; fetched: number } {
  const counts = { ran: 0, hits: 0, fetched: 0 };
  for (const [id, { kind }] of plan.states)
    if (kind === "hit" || kind === "done")
      counts[ran.has(id) ? "ran" : fetched.has(id) ? "fetched" : "hits"]++;
  return counts;
}

/** Prefix of the notes that the end of a run prints. */
const HEADLINE = "headline";
/** The page of a published folder. */
const PAGE = "index.html";

/** The published stages that have a result, with its record. */
function publishedOf(plan: Plan) {
  return plan.tasks.flatMap((task) => {
    const state = plan.states.get(task.id)!;
    return task.publish !== undefined && (state.kind === "hit" || state.kind === "done")
      ? [{ task, folder: task.publish, record: state.record }]
      : [];
  });
}

/** The headlines of published stages, by instance. */
export const headlinesOf = (plan: Plan): { stage: string; text: string }[] =>
  publishedOf(plan).flatMap(({ task, record }) =>
    Object.entries(record.notes)
      .filter(([name]) => name.startsWith(HEADLINE))
      .map(([, value]) => ({ stage: task.id, text: String(value) })),
  );

/** The pages of published stages, as paths from the project's folder. */
export const pagesOf = (plan: Plan, root: string): string[] =>
  publishedOf(plan)
    .flatMap(({ task, folder }) =>
      Object.values(task.outputs).flatMap(({ path }) => {
        if (path.endsWith("/")) return [join(folder, path, PAGE)];
        return path === PAGE ? [join(folder, PAGE)] : [];
      }),
    )
    .filter((page) => existsSync(join(root, page)));

/** The last line of a run. @param duration writes seconds out */
export function endLine(ending: Ending, duration: (seconds: number) => string): string {
  const { stages, ran, hits, failed, skipped, cancelled, left, fetched } = ending;
  const time = duration(ending.seconds);
  if (cancelled)
    return `Cancelled after ${time}: ${counted(ran, "stage")} ended and kept. The same command continues from here.`;
  if (!failed && left)
    return `${counted(left, "job")} submitted. The same command without --detach follows them and publishes their results.`;
  if (failed)
    return `${counted(failed, "stage")} failed${skipped ? `, ${counted(skipped, "stage")} skipped` : ""}; ${hits + ran + (fetched?.count ?? 0)} of ${stages} are up to date (${time}).`;
  if (ran === 0 && !fetched) return `Nothing to do: all ${stages} stages are up to date.`;
  return `Ran ${counted(ran, "stage")} in ${time}${fetched ? `, took ${fetched.count} from ${fetched.from}` : ""}${hits ? `, ${hits} were up to date` : ""}; all ${stages} are up to date.`;
}
