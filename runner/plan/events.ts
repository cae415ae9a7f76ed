/** The events of a plan, and of the store below it. */
import type { StoreEvent } from "../store/index.ts";

export type PlanEvent =
  | StoreEvent
  /** An up-to-date instance runs again, because the store no longer holds all its files. */
  | { kind: "lost"; id: string; reason: string };
