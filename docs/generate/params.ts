/** A part's params as a Markdown table: name, type with range, default, meaning. */

/** The words of JSON Schema that params of parts use. */
export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  default?: unknown;
  description?: string;
  [word: string]: unknown;
}

/** Escapes a text for a cell of a Markdown table. */
export const cell = (text: string): string => text.replaceAll(/[|<*]/g, "\\$&");

const code = (value: unknown): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

/** ` > 0`, ` ≥ 1`, ` in [-1, 1]`, ` in [0, 1)`; empty without limits. */
function limits({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const low = exclusiveMinimum ?? minimum;
  const high = exclusiveMaximum ?? maximum;
  if (low !== undefined && high !== undefined)
    return ` in ${exclusiveMinimum === undefined ? "[" : "("}${low}, ${high}${exclusiveMaximum === undefined ? "]" : ")"}`;
  if (low !== undefined) return ` ${exclusiveMinimum === undefined ? "≥" : ">"} ${low}`;
  if (high !== undefined) return ` ${exclusiveMaximum === undefined ? "≤" : "<"} ${high}`;
  return "";
}

const isSchedule = ({ properties }: Schema): boolean =>
  properties !== undefined && ("from" in properties || "steps" in properties);

/**
 * Type and range in words.
 * @throws Error for a schema that it has no words for
 */
export function typeOf(schema: Schema): string {
  if (schema.anyOf) {
    const types = schema.anyOf.filter((one) => !isSchedule(one)).map(typeOf);
    if (schema.anyOf.some(isSchedule)) types.push("[schedule](#schedules)");
    return types.join(" or ");
  }
  if (schema.enum) return schema.enum.map(code).join(" or ");
  if ("const" in schema) return code(schema.const);
  if (schema.type === "array" && schema.items) return `list, each ${typeOf(schema.items)}`;
  if (schema.type === "object" && schema.properties)
    return `{ ${Object.entries(schema.properties)
      .map(([name, one]) => `${name}: ${typeOf(one)}`)
      .join(", ")} }`;
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "number" || schema.type === "integer") return schema.type + limits(schema);
  throw new Error(`docs/generate/params.ts: no words for the schema ${JSON.stringify(schema)}. Add them.`);
}

/** The table of a part's params, or a sentence where it has none. */
export function paramsTable(params: Record<string, Schema> | undefined): string {
  const rows = Object.entries(params ?? {}).map(([name, schema]) => {
    // The section on schedules has the text that `scheduled` appends, once for all params.
    const meaning = (schema.description ?? "").split("; or a schedule {")[0];
    const absent = schema.optional ? "none" : "required";
    const value = "default" in schema ? code(schema.default) : absent;
    return `| \`${name}\` | ${typeOf(schema).replaceAll(/[<|]/g, "\\$&")} | ${value} | ${cell(meaning)} |`;
  });
  if (rows.length === 0) return "No params.";
  return ["| param | type and range | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
