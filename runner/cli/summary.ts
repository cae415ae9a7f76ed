/** What there is to say when a run has ended: its count, what its published stages noted as headlines, their pages. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../plan/index.ts";
import { counted } from "../text/index.ts";

/** How a run went. */
export interface Ending {
  profile: string;
  stages: number;
  ran: number;
  /** Stages whose results were there already. */
  hits: number;
  /** Results that came out of a shared cache. */
  fetched?: { count: number; from: string };
  failed: number;
  skipped: number;
  cancelled: boolean;
  /** Jobs that go on elsewhere. */
  left?: number;
  seconds: number;
}

/**
 * How the instances that are up to date came to be so, each counted once: one whose result was lost meanwhile may have
 * run twice, or run after its result was fetched.
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

/** A stage's note whose name begins so is shown to people. */
const HEADLINE = "headline";
/** The file of a published folder that a browser opens. */
const PAGE = "index.html";

/** The known published stages of a plan, with what is known of them. */
function publishedOf(plan: Plan) {
  return plan.tasks.flatMap((task) => {
    const state = plan.states.get(task.id)!;
    return task.publish !== undefined && (state.kind === "hit" || state.kind === "done")
      ? [{ task, folder: task.publish, record: state.record }]
      : [];
  });
}

/** What published stages noted as headlines, by instance. */
export const headlinesOf = (plan: Plan): { stage: string; text: string }[] =>
  publishedOf(plan).flatMap(({ task, record }) =>
    Object.entries(record.notes)
      .filter(([name]) => name.startsWith(HEADLINE))
      .map(([, value]) => ({ stage: task.id, text: String(value) })),
  );

/** The pages that published stages made, from the project's folder. */
export const pagesOf = (plan: Plan, root: string): string[] =>
  publishedOf(plan)
    .flatMap(({ task, folder }) =>
      Object.values(task.outputs).flatMap(({ path }) => {
        if (path.endsWith("/")) return [join(folder, path, PAGE)];
        return path === PAGE ? [join(folder, PAGE)] : [];
      }),
    )
    .filter((page) => existsSync(join(root, page)));

/** The line that says how it went. @param duration writes seconds out */
export function endLine(ending: Ending, duration: (seconds: number) => string): string {
  const { stages, ran, hits, failed, skipped, cancelled, left, fetched } = ending;
  const time = duration(ending.seconds);
  if (cancelled)
    return `Cancelled after ${time}: ${counted(ran, "stage")} ended well and kept. The same command goes on from here.`;
  if (!failed && left)
    return `${counted(left, "job")} on their way. The same command without --detach follows them, and publishes what comes of them.`;
  if (failed)
    return `${counted(failed, "stage")} failed${skipped ? `, ${skipped} were not tried` : ""}; ${hits + ran + (fetched?.count ?? 0)} of ${stages} are up to date (${time}).`;
  if (ran === 0 && !fetched) return `Nothing to do: all ${stages} stages are up to date.`;
  return `Ran ${counted(ran, "stage")} in ${time}${fetched ? `, took ${fetched.count} from ${fetched.from}` : ""}${hits ? `, ${hits} were up to date` : ""}; all ${stages} are up to date.`;
}
