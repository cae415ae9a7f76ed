/** The checks by JSON Schemas of a project: of params, of parts, of the pipeline file. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { type Memo, memoOf } from "../files/index.ts";
import { type PartDefinition, UserError } from "../stage.ts";
import { isMap, oneLine } from "../text/index.ts";

/** Checks a value and fills in its defaults; `errors` has its errors. */
export interface Check {
  (value: object): boolean;
  errors?: ValidateFunction["errors"];
}

interface Schema {
  properties?: Record<string, { default?: unknown }>;
}

/** Where and why a text is no JSON: ":line:column message". JSON.parse tells no line, and not always a place. */
function faultOf(text: string): string {
  const { transformSync } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
  try {
    transformSync(text, { loader: "json", logLevel: "silent" });
    return ": is no JSON.";
  } catch (error) {
    const [fault] = (error as { errors: { text: string; location?: { line: number; column: number } }[] })
      .errors;
    return `:${fault.location?.line ?? 1}:${(fault.location?.column ?? 0) + 1} ${fault.text}.`;
  }
}

/**
 * Reads a schema of the project.
 * @param file its path from the project's folder
 * @throws UserError that names the file where it is missing or no JSON
 */
export function readSchema(root: string, file: string): Schema {
  let text: string;
  try {
    text = readFileSync(join(root, file), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(`${file}: ${code === "ENOENT" ? "no such schema" : oneLine(message)}.`);
  }
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    throw new UserError(oneLine(`${file}${faultOf(text)}`));
  }
  if (!isMap(schema)) throw new UserError(`${file}: must be a map, as every JSON Schema here.`);
  return schema;
}

/** Compiles a schema. @throws UserError that names the file it came from where it is none */
export function compile(ajv: Ajv, schema: object, file: string): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new UserError(
      oneLine(`${file}: ${(error as Error).message}. It must be a JSON Schema (draft-07).`),
    );
  }
}

/**
 * How many values of one schema the memo of earlier runs is asked for. Compiling takes as long as some thousand checks,
 * but of a matrix of 50,000 points the memo would hold as many answers.
 */
const MOST_ASKS = 500;

/** Compiled schemas by the text they came from. */
export class Schemas {
  private readonly ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
    keywords: ["optional"], // of a part's param, see `part`
  });
  private readonly compiled = new Map<string, Check>();
  private readonly read = new Map<string, Schema>();
  private readonly root: string;
  private readonly memo: Memo;
  constructor(root: string) {
    this.root = root;
    this.memo = memoOf(root);
  }
  private schema(name: string): Schema {
    const known = this.read.get(name);
    if (known) return known;
    const schema = readSchema(this.root, fileOf(name));
    this.read.set(name, schema);
    return schema;
  }
  /** The validator of `schemas/NAME.params.schema.json`. */
  params(name: string): Check {
    return this.check(fileOf(name), () => this.schema(name));
  }
  /** The default of a param. */
  defaultOf(name: string, param: string): unknown {
    return this.schema(name).properties?.[param]?.default;
  }
  /** The validator of a part's `params`: what has no default and is not `optional` must be given. */
  part(file: string, params: PartDefinition["params"] = {}): Check {
    return this.check(file, () => ({
      type: "object",
      properties: params,
      required: Object.keys(params).filter((name) => !("default" in params[name]) && !params[name].optional),
      additionalProperties: false,
    }));
  }
  /** The check by a schema, which is compiled only for a value that no run before found well. */
  private check(file: string, schema: () => object): Check {
    const known = this.compiled.get(file);
    if (known) return known;
    const rules = schema();
    const text = JSON.stringify(rules);
    let validate: ValidateFunction | undefined;
    let asks = 0;
    const check: Check = (value) => {
      if (++asks > MOST_ASKS) {
        validate ??= compile(this.ajv, rules, file);
        const isValid = validate(value);
        check.errors = validate.errors;
        return isValid;
      }
      const asked = [import.meta.url, text, structuredClone(value)];
      const filled = this.memo.get(asked);
      if (filled !== undefined) {
        Object.assign(value, filled);
        return true;
      }
      validate ??= compile(this.ajv, rules, file);
      const well = validate(value);
      check.errors = validate.errors;
      if (well) this.memo.set(asked, value);
      return well;
    };
    this.compiled.set(file, check);
    return check;
  }
}

const fileOf = (name: string): string => `schemas/${name}.params.schema.json`;
