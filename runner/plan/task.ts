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
  /** Cores that it claims; "free": from 1 up to all, as many as no other task waits for. */
  cpus: number | "all" | "free";
}

/** A task's own fields: those of its instance, or in their place. */
type Own = Omit<Task, Exclude<keyof StageInstance, "inputs" | "outputs" | "cpus">>;

/** A task of an instance. Written out: a spread would give each of 100,000 tasks a hidden class of 600 bytes. */
export function taskOf(instance: StageInstance, own: Own): Task {
  const task: { [Key in keyof Required<Task>]: Task[Key] } = {
    id: instance.id,
    stage: instance.stage,
    point: instance.point,
    uses: instance.uses,
    run: instance.run,
    inputs: own.inputs,
    outputs: own.outputs,
    with: instance.with,
    env: instance.env,
    publish: instance.publish,
    timeout: instance.timeout,
    checkpoint: instance.checkpoint,
    retries: instance.retries,
    cpus: own.cpus,
    memory: instance.memory,
    gpu: instance.gpu,
    at: instance.at,
    code: own.code,
    codeHash: own.codeHash,
    params: own.params,
    parts: own.parts,
    many: own.many,
    named: own.named,
    tolerant: own.tolerant,
  };
  return task;
}
