/** Stage instances + the stages' own declarations → tasks: params, parts, inputs and outputs checked. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve as absolute, isAbsolute, join, normalize } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { fillCommand } from "./command.ts";
import type { StageInstance, Study } from "./expand.ts";
import { explain, suggest } from "./faults.ts";
import type { Code, CodeBook } from "./fingerprint.ts";
import { type Memo, memoOf } from "./memo.ts";
import { refusePlaces, twins } from "./places.ts";
import type { Path } from "./source.ts";
import { type OutputDeclaration, type PartDefinition, type StageDefinition, UserError } from "./stage.ts";
import { sha256 } from "./statcache.ts";
import { brief, nameFault, oneLine } from "./words.ts";

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

/** Checks a value and fills in its defaults; what is wrong with it stands in `errors`. */
interface Check {
  (value: object): boolean;
  errors?: ValidateFunction["errors"];
}

/** Compiled schemas by the text they came from. */
class Schemas {
  private readonly ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
  });
  private readonly compiled = new Map<string, Check>();
  private readonly texts = new Map<string, { properties?: Record<string, { default?: unknown }> }>();
  private readonly root: string;
  private readonly memo: Memo;
  constructor(root: string) {
    this.root = root;
    this.memo = memoOf(root);
  }
  private read(name: string): { properties?: Record<string, { default?: unknown }> } {
    let schema = this.texts.get(name);
    if (!schema) {
      schema = JSON.parse(readFileSync(join(this.root, "schemas", `${name}.params.schema.json`), "utf8"));
      this.texts.set(name, schema!);
    }
    return schema!;
  }
  /** The validator of `schemas/NAME.params.schema.json`. */
  params(name: string): Check {
    return this.compile(name, () => this.read(name));
  }
  /** What a param is where it is not given. */
  defaultOf(name: string, param: string): unknown {
    return this.read(name).properties?.[param]?.default;
  }
  /** The validator of a part's `params`: what has no default must be given. */
  part(file: string, params: PartDefinition["params"] = {}): Check {
    return this.compile(file, () => ({
      type: "object",
      properties: params,
      required: Object.keys(params).filter((name) => !("default" in params[name])),
      additionalProperties: false,
    }));
  }
  /** The check by a schema, which is compiled only for a value that no run before found well. */
  private compile(name: string, schema: () => object): Check {
    const known = this.compiled.get(name);
    if (known) return known;
    const rules = schema();
    const text = JSON.stringify(rules);
    let validate: ValidateFunction | undefined;
    const check: Check = (value) => {
      const asked = [import.meta.url, text, structuredClone(value)];
      const filled = this.memo.get(asked);
      if (filled !== undefined) {
        Object.assign(value, filled);
        return true;
      }
      validate ??= this.ajv.compile(rules);
      const well = validate(value);
      check.errors = validate.errors;
      if (well) this.memo.set(asked, value);
      return well;
    };
    this.compiled.set(name, check);
    return check;
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
  const fault = (instance: StageInstance, path: Path, message: string): never => {
    throw new UserError(
      oneLine(`${instance.at(...path)} ${[instance.stage, ...path].join(".")}: ${message}`),
    );
  };

  const checkOutput = (instance: StageInstance, at: Path, path: string) => {
    if (isAbsolute(path) || path.split("/").includes("..") || /^[./]*$/.test(path))
      fault(
        instance,
        at,
        `must be a path below the stage's own folder, as figure.svg, not ${JSON.stringify(path)}.`,
      );
    const wrong = nameFault(path);
    if (wrong) fault(instance, at, `${wrong}: ${brief(path)}.`);
  };
  const refuseTwins = (instance: StageInstance, outputs: Task["outputs"]) => {
    const found = twins(outputs);
    if (found)
      fault(
        instance,
        instance.run === undefined ? ["uses"] : ["outputs", found[1]],
        `the outputs ${found.map((name) => `"${name}" (${outputs[name].path})`).join(" and ")} take one place. Give each its own path.`,
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
    if (instance.run !== undefined) {
      for (const [name, references] of Object.entries(inputs))
        if (references.length === 0)
          fault(instance, ["inputs", name], `the input "${name}" of ${instance.id} has no file.`);
      const outputs = outputsOf(instance.outputs);
      for (const [name, { path }] of Object.entries(outputs)) checkOutput(instance, ["outputs", name], path);
      refuseTwins(instance, outputs);
      fillCommand(instance.run, { in: inputs, out: outputs, with: instance.with }, (expression) => {
        const known = Object.entries({ in: inputs, out: outputs, with: instance.with });
        const names = known.flatMap(([head, map]) => Object.keys(map).map((name) => `${head}.${name}`));
        return fault(
          instance,
          ["run"],
          `nothing is called \${${expression}}.${suggest(expression, names) || ` Known are ${names.join(", ")}.`}`,
        );
      });
      return {
        ...instance,
        codeHash: sha256(JSON.stringify([instance.run, outputs])),
        params: instance.with,
        parts: {},
        many: new Set(),
        named: new Set(),
        outputs,
        cpus: instance.cpus ?? 1,
      };
    }
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

    const many = new Set<string>();
    const named = new Set<string>();
    for (const [name, declared] of Object.entries(definition.inputs)) {
      const {
        many: takesMany = false,
        named: showsMaker = takesMany,
        optional = false,
      } = typeof declared === "string" ? {} : declared;
      if (showsMaker) named.add(name);
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
      if (!(name in definition.inputs))
        fault(
          instance,
          ["inputs", name],
          `unknown input of the stage "${instance.uses}".${suggest(name, Object.keys(definition.inputs)) || ` It takes ${Object.keys(definition.inputs).join(", ") || "none"}.`}`,
        );
    const outputs = outputsOf(definition.outputs);
    for (const [name, { path }] of Object.entries(outputs)) checkOutput(instance, ["uses", name], path);
    refuseTwins(instance, outputs);
    return {
      ...instance,
      code,
      codeHash: code.hash,
      params: whole,
      parts,
      many,
      named,
      outputs,
      cpus: instance.cpus ?? definition.cpus ?? 1,
    };
  });

  refusePlaces(tasks, root, cache);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  for (const [index, task] of tasks.entries())
    for (const [name, references] of Object.entries(task.inputs))
      for (const reference of references) {
        if (!("id" in reference)) {
          if (!isThere(reference.file))
            fault(
              study.instances[index],
              ["inputs", name],
              isAbsolute(reference.file)
                ? `no file ${reference.file}.`
                : `no file ${reference.file} in the project.`,
            );
          continue;
        }
        const made = byId.get(reference.id)!.outputs;
        if (!made[reference.output])
          fault(
            study.instances[index],
            ["inputs", name],
            `${reference.id} makes no "${reference.output}".${suggest(reference.output, Object.keys(made)) || ` It makes ${Object.keys(made).join(", ")}.`}`,
          );
      }
  memoOf(root).save();
  return tasks;
}
