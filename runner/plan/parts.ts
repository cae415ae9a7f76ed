/** The parts of a task: the files that the study names, and the params given to them. */
import { existsSync, readdirSync } from "node:fs";
import { join, normalize } from "node:path";
import type { Code } from "../code/index.ts";
import { type PartDefinition, type Refusable, refusalOf, type StageDefinition } from "../stage.ts";
import type { Schemas, StageInstance } from "../study/index.ts";
import { copied, explain, type Path, suggest } from "../text/index.ts";
import { fault } from "./outputs.ts";
import type { Task, TaskPart } from "./task.ts";

/** A part as the study names it. */
export interface Chosen {
  name: string;
  file: string;
  /** Its own params. */
  own: Record<string, unknown>;
  /** Its place below the instance. */
  path: Path;
}

/** A part's word and own params, out of the short form or the long. */
export const readPart = (given: unknown): { use: unknown } & Record<string, unknown> =>
  given !== null && typeof given === "object" ? (given as { use: unknown }) : { use: given };

/** The words a part's param can take: the files of its folder. */
export function partNames(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3));
}

/**
 * The parts that an instance names.
 * @param namesIn the parts in a folder
 * @throws UserError for a part that its folder does not have, or that is named twice
 */
export function chosenParts(
  instance: StageInstance,
  definition: StageDefinition,
  schemas: Schemas,
  namesIn: (folder: string) => string[],
): Record<string, Chosen> {
  const { parts: folders = {} } = definition;
  const parts: Record<string, Chosen> = {};
  for (const [param, below] of Object.entries(folders)) {
    const given = instance.with[param] ?? schemas.defaultOf(definition.params, param);
    if (given === undefined || given === null) continue;
    const folder = normalize(`stages/${instance.uses}/${below}`);
    const names = namesIn(folder);
    const listed = Array.isArray(given);
    for (const [index, one] of (listed ? given : [given]).entries()) {
      const path = ["with", param, ...(listed ? [index] : [])];
      const { use, ...own } = readPart(one);
      if (use === undefined)
        fault(instance, path, `write the part's name, as ${param}: NAME or { use: NAME, … }.`);
      if (!names.includes(String(use)))
        fault(
          instance,
          path,
          `no ${param} "${use}" in ${folder}/.${suggest(String(use), names) || ` There are ${names.join(", ")}.`}`,
        );
      const key = listed ? `${param}.${use}` : param;
      if (key in parts) fault(instance, path, `"${use}" is listed twice.`);
      parts[key] = { name: String(use), file: `${folder}/${use}.ts`, own: copied(own), path };
    }
  }
  return parts;
}

/** The parts of a task with their code and their complete params. @throws UserError for params that its schema rejects */
export function partsWith(
  instance: StageInstance,
  chosen: Record<string, Chosen>,
  codeOf: Map<string, Code>,
  schemas: Schemas,
): Record<string, TaskPart> {
  const parts: Record<string, TaskPart> = {};
  // In the order of their names, as in the key, so the stage must not see another.
  const ordered = Object.entries(chosen).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, { name, file, own, path: at }] of ordered) {
    const part = codeOf.get(file)!;
    const validate = schemas.part(file, (part.definition as PartDefinition).params);
    if (!validate(own)) {
      const { path, message } = explain(validate.errors!);
      fault(instance, [...at, ...path], message);
    }
    parts[key] = { name, code: part, params: own };
  }
  return parts;
}

const declared = ({ name, params, code }: TaskPart) => ({ name, params, part: code.definition });

/**
 * The parts of all stages that a task rests on, by the param that names them.
 * @param made the tasks upstream, by id
 */
function partsUpstream(
  { inputs }: Pick<Task, "inputs">,
  made: Map<string, Task>,
): Record<string, Refusable[]> {
  const seen = new Set<string>();
  const parts: Record<string, Refusable[]> = {};
  const visit = (from: Task["inputs"]): void => {
    for (const reference of Object.values(from).flat()) {
      const task = "id" in reference ? made.get(reference.id) : undefined;
      if (!task || seen.has(task.id)) continue;
      seen.add(task.id);
      for (const [param, part] of Object.entries(task.parts))
        parts[param] = [...(parts[param] ?? []), declared(part)];
      visit(task.inputs);
    }
  };
  visit(inputs);
  return parts;
}

/**
 * Refuses parts and params that do not fit together, or not to the parts upstream.
 * @param made the tasks upstream, by id
 * @throws UserError with the place of the part or param that the refusal is about
 */
export function refuseParts(
  instance: StageInstance,
  { refuses = [] }: StageDefinition,
  { parts, params }: Pick<Task, "parts" | "params">,
  made: Map<string, Task>,
): void {
  if (refuses.length === 0) return;
  const looksUp = refuses.some(({ when }) => Object.keys(when).some((path) => path.startsWith("upstream.")));
  const found = refusalOf(
    refuses,
    Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, declared(part)])),
    { params, upstream: looksUp ? partsUpstream(instance, made) : {} },
  );
  if (found) fault(instance, found.where in instance.with ? ["with", found.where] : ["with"], found.message);
}
