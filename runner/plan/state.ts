/** The states of tasks. */
import type { StageRecord } from "../store/index.ts";

/** The state of a task: `waits` until upstream is known, then `hit` or `miss`; `running`, `done`, `failed`, `skipped`. */
export type State =
  | { kind: "waits"; for: string[] }
  | { kind: "hit" | "done"; key: string; record: StageRecord }
  | { kind: "miss" | "running"; key: string; reason: string }
  | { kind: "failed"; reason: string }
  | { kind: "skipped"; because: string };

/** The reason of what has no record that it could differ from. */
export const NEVER_RAN = "never ran";

/** The state of a task that nothing is known of yet. */
export const WAITS: State = { kind: "waits", for: [] };
