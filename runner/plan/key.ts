/** The ingredients of a task's key. */
import { resolve as absolute } from "node:path";
import type { CodeFacts, KeyParts } from "../code/index.ts";
import { isUserError, UserError } from "../stage.ts";
import type { StoredOutput } from "../store/index.ts";
import { oneLine, withoutSecrets } from "../text/index.ts";
import type { Task } from "./task.ts";

/** The hash of a file of the project that a task takes. @throws UserError that names the input */
function hashOfFile(task: Task, input: string, file: string, hashFile: (path: string) => string): string {
  try {
    return hashFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!isUserError(error) && (code === undefined || code === "EIO")) throw error;
    throw new UserError(
      oneLine(
        `${task.at("inputs", input)} ${task.stage}.inputs.${input}: ` +
          (isUserError(error) ? message : `${file} cannot be read (${message}).`),
      ),
    );
  }
}

/**
 * The ingredients of a task's key.
 * @param outputs what each upstream instance made
 * @throws UserError for an input that is no file or folder, or cannot be read
 */
export function keyParts(
  task: Task,
  outputs: (id: string) => Record<string, StoredOutput> | undefined,
  hashFile: (path: string) => string,
): KeyParts | undefined {
  const inputs: KeyParts["inputs"] = {};
  for (const [name, references] of Object.entries(task.inputs)) {
    inputs[name] = [];
    for (const reference of references) {
      const hash =
        "id" in reference
          ? outputs(reference.id)?.[reference.output].hash
          : hashOfFile(task, name, reference.file, hashFile);
      if (hash === undefined) return undefined;
      const id = reference.as ?? ("id" in reference ? reference.id : reference.file);
      inputs[name].push(reference.as !== undefined || task.named.includes(name) ? { hash, id } : { hash });
    }
  }
  return { ...partsOf(task), inputs };
}

/** The absolute paths of a task's inputs in which it passes over what cannot be read. */
export const tolerantInputs = (task: Task, root: string): string[] =>
  task.tolerant.flatMap((name) =>
    (task.inputs[name] ?? []).flatMap((one) => ("file" in one ? [absolute(root, one.file)] : [])),
  );

/** The ingredients of a task's key that are its own; they go into a record, and so tell no secret of an address. */
export function partsOf(task: Task): Omit<KeyParts, "inputs"> {
  const parts = Object.fromEntries(
    Object.entries(task.parts).map(([param, part]) => [
      param,
      { name: part.name, code: part.code.hash, params: part.params },
    ]),
  );
  const own = { parts, params: task.params, ...(task.env ? { env: task.env } : {}) };
  return { code: task.codeHash, ...withoutSecrets(own) };
}

/** The outline of each code of a task, by its hash. */
export function codesOf(task: Task): Map<string, CodeFacts> {
  const own = task.code ?? { packages: [], outline: {}, command: task.run };
  const codes = Object.values(task.parts).map(({ code }): [string, CodeFacts] => [code.hash, factsOf(code)]);
  return new Map([[task.codeHash, factsOf(own)], ...codes]);
}

const factsOf = ({ packages, outline, command }: CodeFacts): CodeFacts => ({ packages, outline, command });
