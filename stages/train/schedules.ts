/** Params that change while training: a number, or a line or stairs from one number to another. */
import { type ParamSchema, type SchemaOf, UserError } from "../../runner/stage.ts";

/**
 * `{ from, to, over, shape }`: `linear` goes evenly from `from` to `to` over the first `over` (a share of all
 * steps), `double` doubles `from` in equal stairs until `to`, `step` jumps at `over`.
 */
export interface Way {
  from: number;
  to: number;
  over?: number;
  shape?: "linear" | "double" | "step";
}

/**
 * `{ steps, at }`: one value after another, each but the first from its share of all steps in `at` on; without `at`
 * each for as long as the others.
 */
export interface Stairs {
  steps: number[];
  at?: number[];
}

/**
 * `{ peak, from, to, warmup, shape }`: one cycle (Smith and Topin 2018): from `from` up to `peak` over the first `warmup`
 * (a share of all steps, 0.3 unless given), then down to `to`. Without them, `from` is a 25th of the peak and `to` a
 * 250,000th.
 */
export interface Cycle {
  peak: number;
  from?: number;
  to?: number;
  warmup?: number;
  shape?: "cosine" | "linear";
}

export type Schedule = Way | Stairs | Cycle;

/**
 * The JSON Schema of a number that may also be given as a schedule.
 * @param words that the param accepts in place of a number
 */
export function scheduled<const Word extends string = never>(
  schema: ParamSchema,
  ...words: Word[]
): SchemaOf<number | Word> {
  const { default: value, description, ...limits } = schema;
  const number = { type: "number", ...limits };
  return {
    description: `${description}; or a schedule { from, to, over, shape: linear | double | step }, { steps: [1, 2, …], at } or { peak, from, to, warmup, shape: cosine | linear }`,
    ...(value === undefined ? {} : { default: value }),
    anyOf: [
      ...words.map((word) => ({ const: word })),
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
      {
        type: "object",
        required: ["steps"],
        additionalProperties: false,
        properties: {
          steps: { type: "array", minItems: 1, items: number },
          at: { type: "array", items: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 } },
        },
      },
      {
        type: "object",
        required: ["peak"],
        additionalProperties: false,
        properties: {
          peak: number,
          from: number,
          to: number,
          warmup: { type: "number", minimum: 0, exclusiveMaximum: 1 },
          shape: { enum: ["cosine", "linear"] },
        },
      },
    ],
  };
}

/**
 * A schedule's value when `share` of all steps is done.
 * @throws UserError when `at` does not fit `steps`
 */
export function valueAt(schedule: Schedule, share: number): number {
  if ("steps" in schedule) return stairAt(schedule, share);
  if ("peak" in schedule) return cycleAt(schedule, share);
  const { from, to, over = 1, shape = "linear" } = schedule;
  const way = Math.min(1, share / over);
  if (shape === "step") return share < over ? from : to;
  if (shape === "linear" || from <= 0 || to <= from) return from + (to - from) * way;
  const doublings = Math.log2(to / from);
  return Math.min(to, from * 2 ** Math.min(Math.floor(way * (doublings + 1)), doublings));
}

function cycleAt({ peak, from = peak / 25, to = peak / 250_000, warmup = 0.3, shape }: Cycle, share: number) {
  const [first, last, way] =
    share < warmup ? [from, peak, share / warmup] : [peak, to, (share - warmup) / (1 - warmup)];
  return first + (last - first) * (shape === "linear" ? way : (1 - Math.cos(Math.PI * way)) / 2);
}

function stairAt({ steps, at }: Stairs, share: number): number {
  const last = steps.length - 1;
  if (!at) return steps[Math.min(last, Math.floor(share * steps.length))];
  if (at.length !== last || at.some((start, k) => k > 0 && start <= at[k - 1]))
    throw new UserError(
      `train: a schedule of ${steps.length} steps needs ${last} ascending shares in "at", one for each step but the first, not [${at.join(", ")}].`,
    );
  return steps[at.filter((start) => share >= start).length];
}

/** The params of a step: every schedule replaced by its number when `share` of all steps is done. */
export function resolveSchedules(params: Record<string, unknown>, share: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      value !== null &&
      typeof value === "object" &&
      (("from" in value && "to" in value) || "steps" in value || "peak" in value)
        ? valueAt(value as Schedule, share)
        : value,
    ]),
  );
}
