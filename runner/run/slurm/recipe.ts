/** The part of a task's key that is known before anything upstream has run. */
import { keyOf } from "../../code/index.ts";
import { keyParts, type Task } from "../../plan/index.ts";
import type { StoredOutput } from "../../store/index.ts";

/**
 * The recipe of each task: its code, parts, params and files, and the recipes of those it takes files from. Two
 * tasks of one recipe make the same; unlike the key, it is known when a job is submitted, and it stays what it is
 * while upstream results come in.
 * @param tasks upstream before downstream
 * @param hashFile hash of a project's file, by its path from the project's folder
 * @returns id → recipe, 64 hex digits
 */
export function recipesOf(tasks: Task[], hashFile: (path: string) => string): Map<string, string> {
  const recipes = new Map<string, string>();
  const standIns = new Map<string, Record<string, StoredOutput>>();
  for (const task of tasks) {
    const recipe = keyOf(keyParts(task, (id) => standIns.get(id), hashFile)!);
    recipes.set(task.id, recipe);
    standIns.set(
      task.id,
      Object.fromEntries(
        Object.entries(task.outputs).map(([name, { measured }]) => [
          name,
          { hash: `${recipe}.${name}`, bytes: 0, measured },
        ]),
      ),
    );
  }
  return recipes;
}
