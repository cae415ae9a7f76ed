/** Stage instances + the stages' own declarations → tasks: params, parts, inputs and outputs checked. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { resolve as absolute, basename, isAbsolute, join, normalize } from "node:path";
import type { Code, CodeBook } from "../code/index.ts";
import { memoOf, sha256 } from "../files/index.ts";
import { type OutputDeclaration, type PartDefinition, type StageDefinition, UserError } from "../stage.ts";
import {
  filesNamed,
  fillCommand,
  nothingCalled,
  Schemas,
  type StageInstance,
  type Study,
} from "../study/index.ts";
import { brief, explain, nameFault, oneLine, type Path, suggest } from "../text/index.ts";
import { refusePlaces, twins } from "./places.ts";

/** A part of a task: which file, and the params given to it. */
export interface TaskPart {
  name: string;
  code: Code;
  params: Record<string, unknown>;
}

/** A stage instance with everything that is known before anything runs. */
export interface Task extends Omit<StageInstance, "outputs" | "cpus"> {
  /** None for a shell command. */
  code?: Code;
  /** What enters the key for the code: the bundle's hash, or the command's. */
  codeHash: string;
  params: Record<string, unknown>;
  parts: Record<string, TaskPart>;
  /** Inputs that take many files, and those of which the stage sees who made them. */
  many: Set<string>;
  named: Set<string>;
  /** Inputs in which the stage passes over what cannot be read. */
  tolerant?: Set<string>;
  outputs: Record<string, { path: string; measured: boolean }>;
  cpus: number | "all";
}

const entryOf = (stage: string): string => `stages/${stage}/stage.ts`;

/** Outputs as they are declared, in the long form. */
const outputsOf = (declared: Record<string, OutputDeclaration>): Task["outputs"] =>
  Object.fromEntries(
    Object.entries(declared).map(([name, one]) => [
      name,
      typeof one === "string"
        ? { path: one, measured: false }
        : { path: one.path, measured: one.measured === true },
    ]),
  );

/** The words a part's param can take: the files of its folder. */
function partNames(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3));
}

/** Asks the disk once for each path, not once for each instance. */
function once<Value>(ask: (path: string) => Value): (path: string) => Value {
  const known = new Map<string, Value>();
  return (path) => {
    if (!known.has(path)) known.set(path, ask(path));
    return known.get(path)!;
  };
}

/** A part as the study names it. */
interface Chosen {
  name: string;
  file: string;
  /** Its own params. */
  own: Record<string, unknown>;
  /** Where it stands below the instance. */
  path: Path;
}

/** A part's word and own params, out of the short form or the long. */
const readPart = (given: unknown): { use: unknown } & Record<string, unknown> =>
  given !== null && typeof given === "object" ? (given as { use: unknown }) : { use: given };

type Fault = (instance: StageInstance, path: Path, message: string) => never;

/** Refuses outputs that no stage can write, or two that take one place. @param at where they are declared */
function checkOutputs(
  instance: StageInstance,
  outputs: Task["outputs"],
  at: "outputs" | "uses",
  fault: Fault,
): void {
  for (const [name, { path }] of Object.entries(outputs)) {
    if (isAbsolute(path) || path.split("/").includes("..") || /^[./]*$/.test(path))
      fault(
        instance,
        [at, name],
        `must be a path below the stage's own folder, as figure.svg, not ${JSON.stringify(path)}.`,
      );
    const wrong = nameFault(path);
    if (wrong) fault(instance, [at, name], `${wrong}: ${brief(path)}.`);
  }
  const found = twins(outputs);
  if (found)
    fault(
      instance,
      at === "uses" ? [at] : [at, found[1]],
      `the outputs ${found.map((name) => `"${name}" (${outputs[name].path})`).join(" and ")} take one place. Give each its own path.`,
    );
}

/** The name that a command sees of a file: where the project or another folder lies is no part of a key. */
const seenAs = (file: string): string => (isAbsolute(file) ? basename(file) : normalize(file));

/** The input of a shell stage that its command itself names; no input of pipeline.yaml can be called so. */
export const COMMAND_INPUT = "its command";

/** The task of a shell stage. The files that its command names are inputs, too: a script that changes runs again. */
function shellTask(
  instance: StageInstance,
  run: string,
  root: string,
  isFile: (path: string) => boolean,
  fault: Fault,
): Task {
  const inputs = { ...instance.inputs };
  for (const [name, references] of Object.entries(inputs))
    if (references.length === 0)
      fault(instance, ["inputs", name], `the input "${name}" of ${instance.id} has no file.`);
  const outputs = outputsOf(instance.outputs);
  checkOutputs(instance, outputs, "outputs", fault);
  const known = {
    in: Object.fromEntries(Object.entries(inputs).map(([name, list]) => [name, list.map(() => "")])),
    out: Object.fromEntries(Object.keys(outputs).map((name) => [name, ""])),
    with: instance.with,
  };
  fillCommand(run, known, (expression, why) => {
    if (why !== nothingCalled(expression)) return fault(instance, ["run"], why);
    const names = Object.entries(known).flatMap(([head, map]) =>
      Object.keys(map).map((name) => `${head}.${name}`),
    );
    return fault(instance, ["run"], why + (suggest(expression, names) || ` Known are ${names.join(", ")}.`));
  });
  const declared = Object.values(inputs)
    .flat()
    .flatMap((one) => ("file" in one ? [normalize(`${one.file}/`)] : []));
  const files = filesNamed(run, { with: instance.with }, root, isFile)
    .filter((path) => !declared.some((one) => `${path}/`.startsWith(one)))
    .map((file) => ({ file }));
  return {
    ...instance,
    inputs: files.length ? { ...inputs, [COMMAND_INPUT]: files } : inputs,
    codeHash: sha256(JSON.stringify([run, outputs])),
    params: instance.with,
    parts: {},
    many: new Set(),
    named: new Set(),
    outputs,
    cpus: instance.cpus ?? 1,
  };
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
  const fault: Fault = (instance, path, message) => {
    throw new UserError(
      oneLine(`${instance.at(...path)} ${[instance.stage, ...path].join(".")}: ${message}`),
    );
  };

  // Every stage and part of the study at once: one build for all that changed.
  const stages = [...new Set(study.instances.map(({ uses }) => uses).filter((uses) => uses !== undefined))];
  for (const instance of study.instances)
    if (instance.uses !== undefined && !isThere(entryOf(instance.uses)))
      fault(
        instance,
        ["uses"],
        `no stage "${instance.uses}" in stages/.` +
          suggest(
            instance.uses,
            readdirSync(join(root, "stages")).filter((name) => existsSync(join(root, entryOf(name)))),
          ),
      );
  const stageCode = await book.read(stages.map(entryOf));
  const chosen = new Map<StageInstance, Record<string, Chosen>>();
  for (const instance of study.instances) {
    if (instance.uses === undefined) continue;
    const definition = stageCode.get(entryOf(instance.uses))!.definition as StageDefinition;
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
        if (key in parts) fault(instance, path, `"${use}" stands twice.`);
        parts[key] = { name: String(use), file: `${folder}/${use}.ts`, own: structuredClone(own), path };
      }
    }
    chosen.set(instance, parts);
  }
  const partCode = await book.read(
    [...chosen.values()].flatMap((parts) => Object.values(parts).map(({ file }) => file)),
  );

  const tasks = study.instances.map((instance): Task => {
    const inputs = { ...instance.inputs };
    if (instance.run !== undefined) return shellTask(instance, instance.run, root, isFile, fault);
    const code = stageCode.get(entryOf(instance.uses!))!;
    const definition = code.definition as StageDefinition;
    if (Object.keys(instance.outputs).length)
      fault(
        instance,
        ["outputs"],
        `the stage "${instance.uses}" says itself what it makes; only a "run" stage has outputs here.`,
      );

    const parts: Record<string, TaskPart> = {};
    // In the order of their names: the key knows no other, so the stage must not see another.
    const ordered = Object.entries(chosen.get(instance)!).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, { name, file, own, path: at }] of ordered) {
      const part = partCode.get(file)!;
      const validate = schemas.part(file, (part.definition as PartDefinition).params);
      if (!validate(own)) {
        const { path, message } = explain(validate.errors!);
        fault(instance, [...at, ...path], message);
      }
      parts[key] = { name, code: part, params: own };
    }
    const validate = schemas.params(definition.params);
    const whole = structuredClone(instance.with);
    // A part stands in for its word while the schema looks on: the schema knows the word, not its params.
    const partParams = Object.keys(definition.parts ?? {}).filter((param) => param in whole);
    for (const param of partParams) {
      const given = whole[param];
      whole[param] = Array.isArray(given) ? given.map((one) => readPart(one).use) : readPart(given).use;
    }
    if (!validate(whole)) {
      const { path, message } = explain(validate.errors!);
      fault(instance, ["with", ...path], message);
    }
    for (const param of Object.keys(definition.parts ?? {})) delete whole[param];
    for (const [param, { exact, tolerance }] of Object.entries(definition.auto ?? {}))
      if (whole[param] === "auto") whole[param] = study.check === "exact" ? exact : tolerance;

    const many = new Set<string>();
    const named = new Set<string>();
    const tolerant = new Set<string>();
    for (const [name, declared] of Object.entries(definition.inputs)) {
      const {
        many: takesMany = false,
        named: showsMaker = takesMany,
        optional = false,
        tolerant: passesOver = false,
      } = typeof declared === "string" ? {} : declared;
      if (showsMaker) named.add(name);
      if (passesOver) tolerant.add(name);
      const references = inputs[name] ?? [];
      if (takesMany) many.add(name);
      if (references.length === 0 && !optional)
        fault(
          instance,
          ["inputs", ...(inputs[name] ? [name] : [])],
          `the input "${name}" of ${instance.id} has no file.`,
        );
      if (references.length > 1 && !takesMany) {
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
    const outputs = outputsOf(definition.outputs);
    checkOutputs(instance, outputs, "uses", fault);
    return {
      ...instance,
      code,
      codeHash: code.hash,
      params: whole,
      parts,
      many,
      named,
      tolerant,
      outputs,
      cpus: instance.cpus ?? definition.cpus ?? 1,
    };
  });

  refusePlaces(tasks, root, cache);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  for (const [index, task] of tasks.entries())
    for (const [name, references] of Object.entries(task.inputs))
      for (const [place, reference] of references.entries()) {
        if (!("id" in reference)) {
          if (!isThere(reference.file))
            fault(
              study.instances[index],
              ["inputs", name],
              isAbsolute(reference.file)
                ? `no file ${reference.file}.`
                : `no file ${reference.file} in the project.`,
            );
          if (task.run !== undefined && name !== COMMAND_INPUT)
            references[place] = { ...reference, as: seenAs(reference.file) };
          continue;
        }
        const made = byId.get(reference.id)!.outputs;
        if (!Object.hasOwn(made, reference.output))
          fault(
            study.instances[index],
            ["inputs", name],
            `${reference.id} makes no "${reference.output}".${suggest(reference.output, Object.keys(made)) || ` It makes ${Object.keys(made).join(", ")}.`}`,
          );
        if (task.run !== undefined)
          references[place] = { ...reference, as: basename(made[reference.output].path) };
      }
  memoOf(root).save();
  return tasks;
}
