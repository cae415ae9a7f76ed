/** Stage instances + the stages' own declarations → tasks: params, parts, inputs and outputs checked. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { resolve as absolute, join } from "node:path";
import type { Code, CodeBook } from "../code/index.ts";
import { memoOf } from "../files/index.ts";
import type { StageDefinition } from "../stage.ts";
import { Schemas, type StageInstance, type Study } from "../study/index.ts";
import { suggest } from "../text/index.ts";
import { settleGlobs } from "./globs.ts";
import { checkOutputs, fault, outputsOf } from "./outputs.ts";
import { paramsOf } from "./params.ts";
import { type Chosen, chosenParts, partNames, partsWith, refuseParts } from "./parts.ts";
import { refusePlaces } from "./places.ts";
import { shellTask } from "./shell.ts";
import { type Task, taskOf } from "./task.ts";
import { checkReferences, inputKinds } from "./task-inputs.ts";

const entryOf = (stage: string): string => `stages/${stage}/stage.ts`;

/** Asks the disk once for each path, not once for each instance. */
function once<Value>(ask: (path: string) => Value): (path: string) => Value {
  const known = new Map<string, Value>();
  return (path) => {
    if (!known.has(path)) known.set(path, ask(path));
    return known.get(path)!;
  };
}

/** Gives the outputs that a stage declares, which it checks once, not once for each instance. */
function outputsByStage(): (instance: StageInstance, code: Code) => Task["outputs"] {
  const known = new Map<Code, Task["outputs"]>();
  return (instance, code) => {
    const outputs = known.get(code) ?? outputsOf((code.definition as StageDefinition).outputs);
    if (!known.has(code)) checkOutputs(instance, outputs, "uses");
    known.set(code, outputs);
    return outputs;
  };
}

/** @throws UserError for an instance of a stage that the project does not have */
function refuseUnknownStages(
  instances: StageInstance[],
  root: string,
  isThere: (path: string) => boolean,
): void {
  const seen = new Set<string>();
  for (const instance of instances) {
    const { uses } = instance;
    if (uses === undefined || seen.has(uses)) continue;
    seen.add(uses);
    if (!isThere(entryOf(uses)))
      fault(
        instance,
        ["uses"],
        `no stage "${uses}" in stages/.` +
          suggest(
            uses,
            readdirSync(join(root, "stages")).filter((name) => existsSync(join(root, entryOf(name)))),
          ),
      );
  }
}

/**
 * Checks every instance against its stage and returns the tasks, in the same order.
 * @param cache the folder of the store, to which nothing may be published
 * @throws UserError with file:line:column for an unknown stage, part, param, input or output
 */
export async function resolve(
  study: Study,
  root: string,
  book: CodeBook,
  cache = join(root, "cache"),
): Promise<Task[]> {
  const schemas = new Schemas(root);
  const namesIn = once((folder) => partNames(root, folder));
  const isThere = once((path) => existsSync(absolute(root, path)));
  const isFile = once((path) => {
    try {
      return statSync(absolute(root, path), { throwIfNoEntry: false })?.isFile() === true;
    } catch {
      return false; // a word that is no path: too long a name, a cycle of links
    }
  });
  // Every stage and part of the study at once: one build for all that changed.
  const stages = [...new Set(study.instances.map(({ uses }) => uses).filter((uses) => uses !== undefined))];
  refuseUnknownStages(study.instances, root, isThere);
  const read = await book.read(stages.map(entryOf));
  const stageCode = new Map(stages.map((uses) => [uses, read.get(entryOf(uses))!]));
  const instances = settleGlobs(study.instances, ({ uses, outputs }) =>
    Object.keys(uses === undefined ? outputs : (stageCode.get(uses)!.definition as StageDefinition).outputs),
  );
  const chosen = new Map<StageInstance, Record<string, Chosen>>();
  for (const instance of instances) {
    if (instance.uses === undefined) continue;
    const definition = stageCode.get(instance.uses)!.definition as StageDefinition;
    chosen.set(instance, chosenParts(instance, definition, schemas, namesIn));
  }
  const files = new Set<string>();
  for (const parts of chosen.values()) for (const param in parts) files.add(parts[param].file);
  const partCode = await book.read([...files]);

  const declaredOutputs = outputsByStage();
  const kindsOf = inputKinds();
  const made = new Map<string, Task>(); // upstream first
  const taskAt = (instance: StageInstance): Task => {
    if (instance.run !== undefined) return shellTask(instance, instance.run, root, isFile);
    const code = stageCode.get(instance.uses!)!;
    const definition = code.definition as StageDefinition;
    if (Object.keys(instance.outputs).length)
      fault(
        instance,
        ["outputs"],
        `the stage "${instance.uses}" says itself what it makes; only a "run" stage has outputs here.`,
      );

    const parts = partsWith(instance, chosen.get(instance)!, partCode, schemas);
    const params = paramsOf(instance, definition, schemas, study.check === "exact");
    refuseParts(instance, definition, { parts, params }, made);
    const { many, named, tolerant } = kindsOf(instance, definition);
    const outputs = declaredOutputs(instance, code);
    return taskOf(instance, {
      code,
      codeHash: code.hash,
      params,
      parts,
      many,
      named,
      tolerant,
      inputs: instance.inputs,
      outputs,
      cpus: instance.cpus ?? definition.cpus ?? 1,
    });
  };
  for (const instance of instances) made.set(instance.id, taskAt(instance));
  const tasks = [...made.values()];

  refusePlaces(tasks, root, cache);
  checkReferences(tasks, instances, isThere);
  memoOf(root).save();
  return tasks;
}
