/**
 * The numbers as files. metrics.json has what `check` compares within a tolerance; steps, p values and words, which a
 * rounding can change, go to tables of comma-separated values.
 */
import { kinOf } from "./kin.ts";
import type { Comparison, GroupSummary, Summary } from "./summary.ts";
import type { Training } from "./training.ts";

/** Digits that are kept. */
const DIGITS = 6;

const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** JSON with sorted keys and rounded numbers: the same value gives the same text. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_, inner) => {
      if (typeof inner === "number") return rounded(inner);
      if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    2,
  );
  return `${text}\n`;
}

const mapValues = <A, B>(from: Record<string, A>, to: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(from).map(([key, value]) => [key, to(value)]));

function groupNumbers({ dim, ids, metrics, classes }: GroupSummary) {
  return { dim, runs: ids.length, metrics, classes };
}

/** Differences by metric, then by pair. */
function differenceNumbers(comparisons: Comparison[]) {
  const found: Record<string, Record<string, { difference: number; low: number; high: number }>> = {};
  for (const { metric, first, second, difference, low, high } of comparisons) {
    found[metric] ??= {};
    found[metric][`${first} less ${second}`] = { difference, low, high };
  }
  return found;
}

/** The content of metrics.json. */
export function heldNumbers({ protocols, choices, trainings }: Summary): unknown {
  return {
    protocols: mapValues(protocols, ({ queries, database, groups, comparisons }) => ({
      queries,
      database,
      groups: mapValues(groups, groupNumbers),
      differences: differenceNumbers(comparisons),
    })),
    validation: {
      choices: Object.fromEntries(
        choices.map(({ id, candidates }) => [
          id,
          Object.fromEntries(candidates.map(({ value, score }) => [String(value), score])),
        ]),
      ),
      trainings: mapValues(trainings, (runs) => ({
        best_validation_map: runs.map((run) => run.best_validation_map),
        collapsed: runs.filter(({ collapsed }) => collapsed).length,
      })),
    },
  };
}

/** A line of comma-separated values (RFC 4180). */
function line(values: (string | number | boolean | null)[]): string {
  return values
    .map((value) => (typeof value === "number" ? String(rounded(value)) : String(value ?? "")))
    .map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
    .join(",");
}

/** The params in which two groups differ; "several" where these are too many to be a cause. */
function causesOf(first: GroupSummary, second: GroupSummary): string {
  const kin = kinOf(first, second);
  return kin ? [...kin.causes, ...kin.chosen.map((name) => `${name} (chosen)`)].join("; ") : "several";
}

/** Every pair of groups of every protocol, both metrics, and what the two differ in. */
export function comparisonsCsv({ protocols }: Summary): string {
  const columns = ["metric", "first", "second", "difference", "low", "high", "excludes_zero", "p", "p_holm"];
  const rows = Object.entries(protocols).flatMap(([protocol, { groups, comparisons }]) =>
    comparisons.map((one) =>
      line([
        protocol,
        ...columns.map((column) => one[column as keyof Comparison]),
        causesOf(groups[one.first], groups[one.second]),
      ]),
    ),
  );
  return `${[line(["protocol", ...columns, "differ_in"]), ...rows].join("\n")}\n`;
}

/** Every training. */
export function trainingsCsv({ trainings }: Summary): string {
  const columns: Exclude<keyof Training, "marks" | "uses_triplets">[] = [
    "id",
    "protocol",
    "best_validation_map",
    "best_step",
    "images_at_best",
    "triplets_at_best",
    "images_to_near_best",
    "triplets_to_near_best",
    "last_step",
    "last_loss",
    "last_active",
    "last_spread",
    "collapsed",
  ];
  const rows = Object.entries(trainings).flatMap(([label, runs]) =>
    runs.map((run) => line([label, ...columns.map((column) => run[column]), run.marks.join("; ")])),
  );
  return `${[line(["group", ...columns, "marks"]), ...rows].join("\n")}\n`;
}
