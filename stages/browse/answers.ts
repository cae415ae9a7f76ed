/** The nearest images of the queries, and of the points of the maps, in one representation. */
import { UserError } from "../../runner/stage.ts";
import type { Answers } from "../shared/artifacts/neighbours.ts";
import { rowsOf, type Split } from "../shared/artifacts/split.ts";
import { Ranking } from "../shared/retrieval/ranking.ts";
import type { Representation } from "./representation.ts";

/** Digits of a distance, and decimals of a precision: those that are shown, which another order of sums does not change. */
const DIGITS = 4;
const rounded = (value: number) => Number(value.toPrecision(DIGITS));
const decimals = (value: number) => Number(value.toFixed(DIGITS));

/** Images by the order in which they are first named. */
export class Named {
  readonly ids: number[] = [];
  readonly labels: number[] = [];
  private readonly places = new Map<number, number>();

  place(id: number, label: number): number {
    let place = this.places.get(id);
    if (place === undefined) {
      place = this.ids.length;
      this.places.set(id, place);
      this.ids.push(id);
      this.labels.push(label);
    }
    return place;
  }
}

/** The rows of a representation's table that hold some ids. @throws UserError when one is not there */
function rowsWith({ ids, id: maker }: Representation, wanted: Uint32Array): Uint32Array {
  const rowOf = new Map(Array.from(ids, (id, row) => [id, row]));
  return wanted.map((id) => {
    const row = rowOf.get(id);
    if (row === undefined)
      throw new UserError(
        `browse: ${maker} lacks image ${id}. All representations must hold the same images.`,
      );
    return row;
  });
}

/** The images that are looked up, and the number of their nearest that are kept. */
export interface Browsed {
  split: Split;
  /** Ids. */
  queries: Uint32Array;
  /** Ids of the points of the maps. */
  points: Uint32Array;
  /** All images that are named so far; those of the answers are added. */
  named: Named;
  k: number;
  signal: AbortSignal;
}

/**
 * Looks up every query among the database, and every point among the others.
 * @param file of the representation, for errors
 * @throws UserError when the representation lacks an image
 */
export function answersOf(
  representation: Representation,
  file: string,
  { split, queries, points: pointIds, named, k, signal }: Browsed,
): { answers: Answers; queries: number[]; points: number[] } {
  const { ids, labels, id, name, point, kind, distance, dim, classes } = representation;
  const place = (row: number) => named.place(ids[row], labels[row]);
  const from = rowsWith(representation, queries);
  const points = rowsWith(representation, pointIds);
  const places = { queries: Array.from(from, place), points: Array.from(points, place) };
  const database = rowsOf(split, "database", ids, file);
  const answers: Answers = {
    ...{ id, name, point, kind, distance, dim },
    map: [],
    neighbours: [],
    distances: [],
    within: [],
    among_points: [],
  };
  const rankingOf = (rows: Uint32Array) =>
    new Ranking(
      Uint16Array.from(rows, (row) => labels[row]),
      classes.length,
    );
  const ranking = rankingOf(database);
  representation.distances(from, database, (query, distances) => {
    signal.throwIfAborted();
    const { map } = ranking.metrics(distances, labels[from[query]], []);
    const nearest = ranking.nearest(distances, k).slice();
    const furthest = distances[nearest[nearest.length - 1]];
    answers.map.push(decimals(map));
    answers.within.push(distances.reduce((count, one) => count + (one <= furthest ? 1 : 0), 0));
    for (const item of nearest) {
      answers.neighbours.push(place(database[item]));
      answers.distances.push(rounded(distances[item]));
    }
  });
  if (points.length === 0) return { answers, ...places };
  const among = rankingOf(points);
  representation.distances(points, points, (index, distances) => {
    for (const item of among.nearest(distances, k, index)) answers.among_points.push(place(points[item]));
  });
  return { answers, ...places };
}
