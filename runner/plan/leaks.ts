/** The leak guard: nothing that was learnt from the queries may reach a stage that chooses. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../stage.ts";
import type { Task } from "./task.ts";

/**
 * The content of `stages/NAME/guard.json`. It is beside the stage and not in its code, because it changes nothing
 * that the stage makes: declaring it runs nothing again.
 */
export interface Guard {
  /** Outputs that tell how queries were answered: a choice made by them would be made on test data. */
  reveals?: string[];
  /** The stage's choice, in words: "the value of a param". */
  chooses?: string;
}

/** @throws UserError when the file is no such declaration, or names an output that the stage does not make */
function guardOf(root: string, uses: string, outputs: string[]): Guard {
  const file = `stages/${uses}/guard.json`;
  if (!existsSync(join(root, file))) return {};
  let guard: Guard;
  try {
    guard = JSON.parse(readFileSync(join(root, file), "utf8"));
  } catch (error) {
    throw new UserError(`${file}: is no JSON: ${(error as Error).message}`);
  }
  const unknown = Object.keys(guard).find((key) => key !== "reveals" && key !== "chooses");
  if (unknown) throw new UserError(`${file}: unknown key "${unknown}". Known are reveals and chooses.`);
  const wrong = guard.reveals?.find((name) => !outputs.includes(name));
  if (wrong) throw new UserError(`${file}: reveals "${wrong}", but the stage makes ${outputs.join(", ")}.`);
  return guard;
}

/**
 * Follows query results downstream. Every output of a stage that reads them contains them, of shell commands too.
 * @param tasks upstream before downstream
 * @throws UserError naming the way, when it reaches a stage that chooses
 */
export function refuseLeaks(tasks: Task[], root: string): void {
  const guards = new Map<string, Guard>();
  for (const { uses, outputs } of tasks)
    if (uses !== undefined && !guards.has(uses)) guards.set(uses, guardOf(root, uses, Object.keys(outputs)));
  /** The way by which each output came to know the queries, by task. Most know nothing. */
  const ways = new Map<string, Map<string, string[]>>();
  for (const task of tasks) {
    const guard = guards.get(task.uses ?? "") ?? {};
    let carried: string[] | undefined;
    for (const [input, references] of Object.entries(task.inputs))
      for (const reference of references) {
        const way = "id" in reference ? ways.get(reference.id)?.get(reference.output) : undefined;
        if (!way) continue;
        if (guard.chooses)
          throw new UserError(
            `${task.at("inputs", input)} ${task.stage}.inputs.${input}: query data would reach a choice: ${[...way, task.id].join(" → ")}, which chooses ${guard.chooses}. Choose on validation images instead.`,
          );
        carried ??= way;
      }
    const told = carried ? Object.keys(task.outputs) : (guard.reveals ?? []);
    if (told.length)
      ways.set(
        task.id,
        new Map(told.map((output) => [output, [...(carried ?? []), `${task.id}.${output}`]])),
      );
  }
}
