/** The records that count as results. */
import { keyOfRecord } from "../code/index.ts";
import { outputsFault, type StageRecord, type Store, trustedKeys } from "../store/index.ts";
import type { Task } from "./task.ts";

export class Counting {
  /** Whether a record does not count that read or wrote what its stage does not declare. */
  strict = false;
  private readonly store: Store;
  private readonly root: string;
  /** The keys of the people whose results count. */
  private trusted?: Set<string>;

  constructor(store: Store, root: string) {
    this.store = store;
    this.root = root;
  }

  /** A record of the store, if it counts as that of a task. */
  of(task: Task, key: string, record: StageRecord): StageRecord | undefined {
    const fault = keyOfRecord(record) === key ? outputsFault(record, task.outputs) : "is of another key";
    if (fault) {
      this.store.reject(key, fault);
      return undefined;
    }
    return (this.strict && record.notes.undeclared) || !this.trusts(record) ? undefined : record;
  }

  /** Why a record that is whole does not count. */
  reason(record: StageRecord): string | undefined {
    if (!this.trusts(record)) return "trusted-keys no longer lists the signer of its result";
    return this.strict ? "it read or wrote what it does not declare" : undefined;
  }

  /** Whether a record was made here, or by someone whose key the project still trusts. */
  private trusts({ by }: StageRecord): boolean {
    if (by === undefined) return true;
    this.trusted ??= trustedKeys(this.root);
    return this.trusted.has(by);
  }
}
