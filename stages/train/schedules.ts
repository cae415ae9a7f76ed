/** Params that change while training: a number, or a line or stairs from one number to another. */
import type { ParamSchema } from "../../runner/stage.ts";

/**
 * `{ from, to, over, shape }`: `linear` goes evenly from `from` to `to` over the first `over` (a share of all
 * steps), `double` doubles `from` in equal stairs until `to`, `step` jumps at `over`.
 */
export interface Schedule {
  from: number;
  to: number;
  over?: number;
  shape?: "linear" | "double" | "step";
}

/** The JSON Schema of a number that may also be given as a schedule. */
export function scheduled(schema: ParamSchema): ParamSchema {
  const { default: value, description, ...limits } = schema;
  const number = { type: "number", ...limits };
  return {
    description: `${description}; or a schedule { from, to, over, shape: linear | double | step }`,
    ...(value === undefined ? {} : { default: value }),
    anyOf: [
      number,
      {
        type: "object",
        required: ["from", "to"],
        additionalProperties: false,
        properties: {
          from: number,
          to: number,
          over: { type: "number", exclusiveMinimum: 0, maximum: 1 },
          shape: { enum: ["linear", "double", "step"] },
        },
      },
    ],
  };
}

/** A schedule's value when `share` of all steps is done. */
export function valueAt(schedule: Schedule, share: number): number {
  const { from, to, over = 1, shape = "linear" } = schedule;
  const way = Math.min(1, share / over);
  if (shape === "step") return share < over ? from : to;
  if (shape === "linear" || from <= 0 || to <= from) return from + (to - from) * way;
  const doublings = Math.log2(to / from);
  return Math.min(to, from * 2 ** Math.min(Math.floor(way * (doublings + 1)), doublings));
}

/** All params with schedules resolved at `share` of all steps. */
export function resolveSchedules(params: Record<string, unknown>, share: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      value !== null && typeof value === "object" && "from" in value
        ? valueAt(value as Schedule, share)
        : value,
    ]),
  );
}
