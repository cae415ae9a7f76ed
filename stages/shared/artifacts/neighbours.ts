/** The artifact `neighbours`: the nearest images of some queries, in several representations. */
import { writeFileSync } from "node:fs";
import type { Point } from "../../../runner/stage.ts";
import { checkJson, readJson } from "./schema.ts";

/** One representation's answers. Lists are flat: the k of the first query, then the k of the second. */
export interface Answers {
  id: string;
  /** Of its group, as in the report's tables. */
  name: string;
  point: Point;
  kind: "features" | "embedding" | "code";
  distance: "euclidean" | "cosine" | "centred-cosine" | "hamming";
  /** Dimensions, or bits. */
  dim: number;
  /** `[queries]` */
  map: number[];
  /** `[queries, k]` images of the database, nearest first; of equally near ones the first one. */
  neighbours: number[];
  /** `[queries, k]` */
  distances: number[];
  /** `[queries]` images of the database that are as near as the last of the list, or nearer. */
  within: number[];
  /** `[points, k]` other points of the map, nearest first; `[]` without a map. */
  among_points: number[];
}

/** The whole file. Images are named by their place in `images`. */
export interface Neighbours {
  protocol: string;
  k: number;
  seed: number;
  classes: string[];
  images: { id: number[]; label: number[] };
  /** The first `drawn` are a draw with all classes alike, in order of id; the others the worst. */
  queries: number[];
  drawn: number;
  /** The images of the t-SNE maps. */
  points: number[];
  representations: Answers[];
}

/** Writes `neighbours`. */
export function writeNeighbours(path: string, found: Neighbours): void {
  checkJson(found, "neighbours", path);
  writeFileSync(path, `${JSON.stringify(found)}\n`);
}

/** Reads `neighbours`. @throws UserError when the file is another artifact */
export const readNeighbours = (path: string): Neighbours => readJson<Neighbours>(path, "neighbours");
