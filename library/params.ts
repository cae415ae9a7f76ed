/** Params of parts. */
import { Ajv } from "ajv";
import { type PartDefinition, UserError } from "../runner/stage.ts";

/**
 * The defaults of a part's params, by name. Params without a default are not in it.
 * @param given values in the place of defaults
 */
export function defaultsOf(
  part: PartDefinition,
  given: Record<string, unknown> = {},
): Record<string, unknown> {
  const defaults = Object.entries(part.params ?? {}).flatMap(([name, schema]) =>
    "default" in schema ? [[name, schema.default]] : [],
  );
  return { ...Object.fromEntries(defaults), ...given };
}

/** A part, or with its params as pipeline.yaml has them: `{ use: facenet, margin: 0.3 }`. */
export type Chosen<T extends PartDefinition> = T | ({ use: T } & Record<string, unknown>);

const ajv = new Ajv({ strict: false, allowUnionTypes: true });

/**
 * A part with all of its params, checked.
 * @param kind of the part, for the message
 * @throws UserError for a param that it does not declare, or that does not have its type
 */
export function chosen<T extends PartDefinition>(
  given: Chosen<T>,
  kind: string,
): { part: T; params: Record<string, unknown> } {
  const { use, ...own } = ("use" in given ? given : { use: given }) as { use: T } & Record<string, unknown>;
  const schemas = use.params ?? {};
  const params = defaultsOf(use, own);
  const required = Object.keys(schemas).filter((name) => !schemas[name].optional);
  const isValid = ajv.compile({ type: "object", properties: schemas, required, additionalProperties: false });
  if (!isValid(params)) {
    const [{ instancePath, message, params: about }] = isValid.errors!;
    const extra = about.additionalProperty ? ` (${about.additionalProperty})` : "";
    throw new UserError(
      `${kind}: ${instancePath.slice(1) || "its params"} ${message}${extra}. It has ${Object.keys(schemas).join(", ") || "no params"}.`,
    );
  }
  return { part: use, params };
}
