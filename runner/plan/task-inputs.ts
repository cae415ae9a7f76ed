/** The inputs of a task: what its stage declares of them, and whether each file exists. */
import { basename, isAbsolute, normalize } from "node:path";
import type { StageDefinition } from "../stage.ts";
import type { StageInstance } from "../study/index.ts";
import { shortened, suggest } from "../text/index.ts";
import { fault } from "./outputs.ts";
import { COMMAND_INPUT } from "./shell.ts";
import type { Task } from "./task.ts";

/** The name that a command sees of a file: the path of the project or of another folder is no part of a key. */
const seenAs = (file: string): string => (isAbsolute(file) ? basename(file) : normalize(file));

/** The names of the inputs that take many files, show who made them, and pass over unreadable files. */
type Kinds = Pick<Task, "many" | "named" | "tolerant">;

/** The kinds of inputs that a stage declares. */
function kindsOf({ inputs }: StageDefinition): Kinds {
  const kinds: Kinds = { many: [], named: [], tolerant: [] };
  for (const [name, declared] of Object.entries(inputs)) {
    const { many = false, named = many, tolerant = false } = typeof declared === "string" ? {} : declared;
    if (many) kinds.many.push(name);
    if (named) kinds.named.push(name);
    if (tolerant) kinds.tolerant.push(name);
  }
  return kinds;
}

/** @throws UserError for an input without a file, with too many, or unknown to the stage */
function checkInputs(instance: StageInstance, definition: StageDefinition, { many }: Kinds): void {
  const { inputs } = instance;
  for (const [name, declared] of Object.entries(definition.inputs)) {
    const { optional = false } = typeof declared === "string" ? {} : declared;
    const references = inputs[name] ?? [];
    if (references.length === 0 && !optional)
      fault(
        instance,
        ["inputs", ...(inputs[name] ? [name] : [])],
        `the input "${name}" of ${instance.id} has no file.`,
      );
    if (references.length > 1 && !many.includes(name)) {
      const ids = references.map((one) => ("id" in one ? one.id : one.file));
      fault(
        instance,
        ["inputs", name],
        `takes one file, but ${ids.length} match for ${instance.id} (${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", …" : ""}). Narrow it down: stage[axis=value].output.`,
      );
    }
  }
  for (const name of Object.keys(inputs))
    if (!Object.hasOwn(definition.inputs, name))
      fault(
        instance,
        ["inputs", name],
        `unknown input of the stage "${instance.uses}".${suggest(name, Object.keys(definition.inputs)) || ` It takes ${Object.keys(definition.inputs).join(", ") || "none"}.`}`,
      );
}

/**
 * Checks the inputs of instances, and gives their kinds, which all instances of a stage share.
 * @returns of each instance @throws UserError for an input without a file, with too many, or unknown to the stage
 */
export function inputKinds(): (instance: StageInstance, definition: StageDefinition) => Kinds {
  const known = new Map<StageDefinition, Kinds>();
  return (instance, definition) => {
    const kinds = known.get(definition) ?? kindsOf(definition);
    known.set(definition, kinds);
    checkInputs(instance, definition, kinds);
    return kinds;
  };
}

/**
 * Checks that the file or the output that each input names exists, and gives inputs of commands their names.
 * @throws UserError for one that does not
 */
export function checkReferences(
  tasks: Task[],
  instances: StageInstance[],
  isThere: (path: string) => boolean,
): void {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  for (const [index, task] of tasks.entries())
    for (const [name, references] of Object.entries(task.inputs))
      for (const [place, reference] of references.entries()) {
        if (!("id" in reference)) {
          if (!isThere(reference.file))
            fault(
              instances[index],
              ["inputs", name],
              isAbsolute(reference.file)
                ? `no file ${shortened(reference.file)}.`
                : `no file ${shortened(reference.file)} in the project.`,
            );
          if (task.run !== undefined && name !== COMMAND_INPUT)
            references[place] = { ...reference, as: seenAs(reference.file) };
          continue;
        }
        const made = byId.get(reference.id)!.outputs;
        if (!Object.hasOwn(made, reference.output))
          fault(
            instances[index],
            ["inputs", name],
            `${reference.id} makes no "${reference.output}".${suggest(reference.output, Object.keys(made)) || ` It makes ${Object.keys(made).join(", ")}.`}`,
          );
        if (task.run !== undefined)
          references[place] = { ...reference, as: basename(made[reference.output].path) };
      }
}
