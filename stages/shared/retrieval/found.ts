/** Columns of metrics, one value per query, in memory that threads share. */
import { shared } from "../compute/threads.ts";
import type { Elected } from "./elected.ts";
import type { QueryMetrics } from "./tally.ts";

/** Ranks at which precision and recall are reported. */
export const AT = [1, 10, 100];

/** The ranking of queries: the classes that neighbours vote for, and the metrics of each query. */
export interface Found {
  /** `[queries, ks]`: the class that k nearest neighbours vote for, for each k. */
  predictions: Uint16Array;
  /** Where images may have several labels: the labels that more than half of k neighbours have, `[queries, ks, bytes]`. */
  votes?: Uint8Array;
  /**
   * `[queries]` each, by the names that their means have in the artifact `metrics`: map, precision@k, recall@k,
   * r_precision, map_at_r and those of one representation only. Empty if only predictions were asked for.
   */
  columns: Record<string, Float64Array>;
}

/**
 * Room for the metrics of queries.
 * @param at the k of precision and recall; "predictions only": no columns
 * @param others names of other columns; @param bytes of a set of labels, where images may have several
 */
export function createFound(
  queries: number,
  ks: number,
  at: number[] | "predictions only",
  others: string[] = [],
  bytes = 0,
): Found {
  const names =
    at === "predictions only"
      ? []
      : [
          "map",
          ...at.map((k) => `precision@${k}`),
          ...at.map((k) => `recall@${k}`),
          "r_precision",
          "map_at_r",
          ...others,
        ];
  return {
    predictions: shared(Uint16Array, queries * ks),
    ...(bytes && { votes: shared(Uint8Array, queries * ks * bytes) }),
    columns: Object.fromEntries(names.map((name) => [name, shared(Float64Array, queries)])),
  };
}

/** Stores what the neighbours of a query vote for. @param place of the query and of its k */
export function keepVotes({ predictions, votes }: Found, place: number, { first, set }: Elected): void {
  predictions[place] = first;
  votes!.set(set, place * set.length);
}

/** Stores the metrics of one query. @param at the k of precision and recall, as for {@link createFound} */
export function keepMetrics({ columns }: Found, query: number, metrics: QueryMetrics, at: number[]): void {
  const { precisionAt, recallAt, more = {}, ...others } = metrics;
  for (const [name, value] of Object.entries(others)) columns[name][query] = value;
  for (const [name, value] of Object.entries(more)) columns[name][query] = value;
  for (const [index, k] of at.entries()) {
    columns[`precision@${k}`][query] = precisionAt[index];
    columns[`recall@${k}`][query] = recallAt[index];
  }
}
