/** Checks of what one stage hands to another, against the JSON Schemas of `schemas/`. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import type { Schema } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";

// Every stage does this: without the schema of schemas, whose compilation takes longer than that of all those here. A
// test holds the schemas against it.
const ajv = new Ajv({ allErrors: false, allowUnionTypes: true, meta: false, validateSchema: false });
const validators = new Map<string, ValidateFunction>();

/** The file of a schema: in the project's folder, where stages run; for a program on the library, in the package's. */
function schemaFile(name: string): string {
  const own = resolve("schemas", name);
  for (
    let folder = import.meta.dirname;
    !existsSync(own) && folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const file = join(folder, "schemas", name);
    if (existsSync(file)) return file;
  }
  return own;
}

function validator(artifact: string): ValidateFunction {
  let validate = validators.get(artifact);
  if (!validate) {
    const file = schemaFile(`${artifact}.artifact.schema.json`);
    validate = ajv.compile(JSON.parse(readFileSync(file, "utf8")));
    validators.set(artifact, validate);
  }
  return validate;
}

function complain(validate: ValidateFunction, artifact: string, path: string): never {
  const fault = validate.errors![0];
  const extra = fault.params.additionalProperty ?? fault.params.allowedValues ?? fault.params.allowedValue;
  const place = fault.instancePath ? `${fault.instancePath.slice(1).replaceAll("/", ".")} ` : "";
  throw new UserError(
    `${path}: not a file of "${artifact}": ${place}${fault.message}${extra === undefined ? "" : ` (${JSON.stringify(extra)})`}. ` +
      `See schemas/${artifact}.artifact.schema.json.`,
  );
}

/**
 * Checks an Arrow schema, described as `{ columns: { name: type }, metadata: { name: text } }`, where a type
 * is Arrow's own name for it ("Uint32", "FixedSizeList[64]<Float16>").
 */
export function checkTableSchema(schema: Schema, artifact: string, path: string): void {
  const columns = Object.fromEntries(schema.fields.map((field) => [field.name, String(field.type)]));
  const validate = validator(artifact);
  if (!validate({ columns, metadata: Object.fromEntries(schema.metadata) }))
    complain(validate, artifact, path);
}

/** Reads a JSON file of an artifact and checks it. @throws UserError with the first fault */
export function readJson<T>(path: string, artifact: string): T {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError(`${path}: not JSON (${(error as Error).message}).`);
  }
  checkJson(value, artifact, path);
  return value as T;
}

/** Checks a value of an artifact, before it is written or after it is read. */
export function checkJson(value: unknown, artifact: string, path: string): void {
  const validate = validator(artifact);
  if (!validate(value)) complain(validate, artifact, path);
}
