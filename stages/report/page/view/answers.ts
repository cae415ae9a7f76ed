/** The answers to a query: which are right, and which queries come first. */
import type { Answers, Neighbours } from "../../../shared/artifacts/neighbours.ts";

/** One neighbour. */
export interface Near {
  /** Its place among the images. */
  image: number;
  /** Of the query's class. */
  right: boolean;
  distance?: number;
}

/** A representation's answer to a query. */
export interface Answer {
  near: Near[];
  right: number;
  map: number;
  /** Images of the database as near as the last one, or nearer. */
  within: number;
}

/** The answer of a representation to the query at `index`. */
export function answerOf({ queries, images, k }: Neighbours, answers: Answers, index: number): Answer {
  const label = images.label[queries[index]];
  const each = Math.min(k, answers.neighbours.length / queries.length);
  const near = answers.neighbours.slice(index * each, (index + 1) * each).map((image, at) => ({
    image,
    right: images.label[image] === label,
    distance: answers.distances[index * each + at],
  }));
  return {
    near,
    right: near.filter(({ right }) => right).length,
    map: answers.map[index],
    within: answers.within[index],
  };
}

/** The nearest points of a map to the point at `index`. */
export function nearPoints({ points, images, k }: Neighbours, answers: Answers, index: number): Near[] {
  const label = images.label[points[index]];
  const each = Math.min(k, answers.among_points.length / points.length);
  return answers.among_points
    .slice(index * each, (index + 1) * each)
    .map((image) => ({ image, right: images.label[image] === label }));
}

/** The listed queries, in order. */
export interface Choice {
  /** A class; none: all. */
  label?: number;
  /** Only those with a wrong one among the nearest, in this representation; none: all. */
  wrongIn?: number;
  /** The worst average precision of this representation first; none: the draw alone, in order of id. */
  worstIn?: number;
}

/** Indices of the queries that are asked for. */
export function chosenQueries(found: Neighbours, { label, wrongIn, worstIn }: Choice): number[] {
  const { queries, images, drawn, representations } = found;
  const chosen = queries
    .map((_, index) => index)
    .filter(
      (index) =>
        (worstIn !== undefined || index < drawn) &&
        (label === undefined || images.label[queries[index]] === label) &&
        (wrongIn === undefined ||
          answerOf(found, representations[wrongIn], index).near.some(({ right }) => !right)),
    );
  if (worstIn === undefined) return chosen;
  const { map: precision } = representations[worstIn];
  return chosen.sort((a, b) => precision[a] - precision[b] || a - b);
}

/** The place in a list, ordered by average precision, of the query in the middle of those that were drawn at random. */
export function middleOf({ drawn }: Pick<Neighbours, "drawn">, listed: number[]): number {
  const places = listed.flatMap((index, place) => (index < drawn ? place : []));
  return places.length ? places[places.length >> 1] : listed.length >> 1;
}
