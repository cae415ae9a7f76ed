/** The shared cache of a run. */
import { missingForPublish } from "../publish/index.ts";
import type { SharedCache } from "../remote/index.ts";
import { UserError } from "../stage.ts";
import { counted } from "../text/index.ts";
import type { Options } from "./options.ts";
import type { Session } from "./session.ts";

/** The line on the results that a run uploaded; "" for none. */
export function pushLine({ name, count: { pushed, notPushed } }: SharedCache): string {
  if (!pushed && !notPushed) return "";
  const rest = notPushed ? `; ${notPushed} were not uploaded: npm run pipeline -- push retries` : "";
  return `Pushed ${counted(pushed, "result")} to ${name}${rest}.`;
}

/** The shared cache of the options; undefined without one, or where no result is missing. */
export async function remoteOf(
  { plan, store, root, events }: Session,
  options: Options,
  signal: AbortSignal,
): Promise<SharedCache | undefined> {
  if (!options.remote && !options.remotePush) return undefined;
  if (options.executor === "slurm")
    throw new UserError(
      "--remote: the jobs of a cluster share one store and use no shared cache. Upload their results with npm run pipeline -- push.",
    );
  plan.prepared = new Set();
  if (!plan.advance().length && !missingForPublish(plan, store, root).length) return undefined;
  const { openRemote } = await import("../remote/index.ts");
  return openRemote(options, root, store, (line) => events.warn(line), signal);
}

/** Restores the outputs of published stages in the store. @returns whether some stages must rerun */
export async function restorePublished(
  { plan, store, root }: Session,
  remote?: SharedCache,
): Promise<boolean> {
  let redone = false;
  for (const { id, fault, record, outputs } of missingForPublish(plan, store, root)) {
    if (await remote?.bring(outputs, store.isPromise(record.key))) store.redeem(record);
    else {
      plan.redo(id, fault);
      redone = true;
    }
  }
  return redone;
}
