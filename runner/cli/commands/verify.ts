/** The command `verify`. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { rerun, verifyStore } from "../../inspect/index.ts";
import type { Plan } from "../../plan/index.ts";
import { local } from "../../run/local/index.ts";
import type { Store } from "../../store/index.ts";
import { colors, counted, size } from "../../text/index.ts";

/** `verify`: reads the whole store. @returns the exit code: 1 if an object or a record is corrupt */
export async function verifyCommand(store: Store): Promise<number> {
  const leave = await store.enter((owner) => console.error(`waits: ${owner} is collecting garbage.`));
  try {
    const began = performance.now();
    const { objects, bytes, records, corrupt } = await verifyStore(store);
    for (const line of corrupt) console.error(colors.red(`cache: ${line}`));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      `Verified ${counted(objects, "object")} (${size(bytes)}) and ${counted(records, "record")} in ${seconds} s: ` +
        (corrupt.length
          ? `${corrupt.length} corrupt, quarantined in ${join(store.folder, "bad")}.`
          : "all are intact."),
    );
    return corrupt.length ? 1 : 0;
  } finally {
    leave();
  }
}

/** `verify --rerun STAGE`. @returns the exit code: 1 if an output differs */
export async function rerunCommand(stage: string, plan: Plan, store: Store, root: string): Promise<number> {
  const leave = await store.enter((owner) => console.error(`waits: ${owner} is collecting garbage.`));
  try {
    store.sweep();
    plan.advance();
    const options = {
      root,
      jobs: availableParallelism(),
      keepGoing: false,
      executor: local,
      signal: new AbortController().signal,
    };
    const found = await rerun(stage, plan, store, options, (line) =>
      console.error(colors.yellow(`! ${line}`)),
    );
    for (const { id, compared, measured, differences } of found) {
      const left = measured ? ` (${measured} measured left out)` : "";
      if (differences.length === 0)
        console.log(`${id}: the same bytes in ${counted(compared, "output")}${left}.`);
      for (const line of differences) console.log(colors.red(`${id}: ${line}`));
    }
    const differ = found.filter(({ differences }) => differences.length).length;
    console.log(
      `Reran ${counted(found.length, "instance")}: ${differ ? `${differ} gave other outputs` : "all gave the same outputs"}.`,
    );
    return differ ? 1 : 0;
  } finally {
    leave();
  }
}
