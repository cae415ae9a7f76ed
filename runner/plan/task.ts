/** The type of a task. */
import type { Code } from "../code/index.ts";
import type { StageInstance } from "../study/index.ts";

/** A part of a task: which file, and the params given to it. */
export interface TaskPart {
  name: string;
  code: Code;
  params: Record<string, unknown>;
}

/** A stage instance with everything that is known before anything runs. Jobs read it as JSON: no field is a Map or Set. */
export interface Task extends Omit<StageInstance, "outputs" | "cpus"> {
  /** None for a shell command. */
  code?: Code;
  /** The ingredient of the key for the code: the bundle's hash, or the command's. */
  codeHash: string;
  params: Record<string, unknown>;
  parts: Record<string, TaskPart>;
  /** Inputs that take many files, and those of which the stage sees who made them. */
  many: string[];
  named: string[];
  /** Inputs in which the stage passes over what cannot be read. */
  tolerant: string[];
  outputs: Record<string, { path: string; measured: boolean }>;
  cpus: number | "all";
}
