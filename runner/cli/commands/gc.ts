/** The command `gc`. */

import { type Garbage, type GcOptions, garbage, remove, type Store } from "../../store/index.ts";
import { age, colors, counted, size } from "../../text/index.ts";

/** "2 objects", "2 quarantined" */
const countedKind = (count: number, kind: Garbage["kind"]): string =>
  kind === "quarantined" ? `${count} quarantined` : counted(count, kind);

/** Milliseconds without use after which a result is removed, unless an option says otherwise. */
const OLD_MILLISECONDS = 30 * 24 * 3600 * 1000;

/**
 * `gc`: removes results that nothing refers to any more, and lists them.
 * @returns the exit code: 1 if a run uses the store
 */
export async function gcCommand(
  store: Store,
  root: string,
  reports: string[],
  options: GcOptions & { dryRun?: boolean },
): Promise<number> {
  const { keepRuns, maxBytes, dryRun } = options;
  const olderThan = options.olderThan ?? (maxBytes === undefined ? OLD_MILLISECONDS : undefined);
  const { release, users } = await store.collect();
  try {
    if (users.length && !dryRun) {
      const [{ pid, host }] = users;
      console.error(
        colors.red(
          `gc: process ${pid} on ${host} uses this store. Nothing was removed. Run gc again after that process has ended.`,
        ),
      );
      return 1;
    }
    if (!dryRun) store.sweep();
    const found = garbage(store, root, reports, { olderThan, maxBytes, keepRuns });
    for (const { kind, name, bytes, age: old } of found)
      if (!["object", "code", "log"].includes(kind))
        console.log(`${kind} ${name}  ${size(bytes)}, last used ${age(old)} ago`);
    if (!dryRun) remove(found, store, root);
    const kinds = new Map<Garbage["kind"], number>();
    for (const { kind } of found) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
    const what = [...kinds].map(([kind, count]) => countedKind(count, kind)).join(", ");
    console.log(
      found.length
        ? `${dryRun ? "Would remove" : "Removed"} ${what}: ${size(bytes)} (${bytes} bytes).`
        : "Nothing to remove.",
    );
    return 0;
  } finally {
    release();
  }
}
