/** The queries that can be browsed: a draw with all classes alike, and the worst of each representation. */
import type { InputFile, Point } from "../../runner/stage.ts";
import { numbers, readTable } from "../shared/artifacts/arrow.ts";
import { rowsOf, type Split } from "../shared/artifacts/split.ts";
import { random } from "../shared/compute/random.ts";
import { drawStratified } from "../shared/statistics/stratified.ts";

/** The ids of the queries: the drawn ones first, in order of id, then the worst that were not drawn. */
export interface Chosen {
  ids: Uint32Array;
  drawn: number;
}

const sameAs = (a: Point, b: Point): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([axis, value]) => b[axis] === value);

/** The ids of the queries with the lowest average precision, the worst first; of equal ones the smaller id. */
function worstOf(path: string, count: number): number[] {
  const table = readTable(path, "per-query");
  const ids = numbers(table, "id");
  const precision = numbers<Float32Array>(table, "map");
  return [...ids.keys()]
    .sort((a, b) => precision[a] - precision[b] || ids[a] - ids[b])
    .slice(0, count)
    .map((row) => ids[row]);
}

/**
 * Chooses queries.
 * @param perQuery the metrics of each query, of runs; those at the point of a representation tell its worst
 * @param points of the representations
 */
export function chooseQueries(
  split: Split,
  perQuery: InputFile[],
  points: Point[],
  { queries, worst, seed }: { queries: number; worst: number; seed: number },
): Chosen {
  const rows = drawStratified(
    rowsOf(split, "query", split.ids, "split"),
    split.labels,
    queries,
    random(seed, "browse"),
  );
  const drawn = Array.from(rows, (row) => split.ids[row]);
  const ids = new Set(drawn);
  for (const point of points)
    for (const { path } of perQuery.filter((run) => sameAs(run.point, point)))
      for (const id of worstOf(path, worst)) ids.add(id);
  return { ids: Uint32Array.from(ids), drawn: drawn.length };
}
