/** The artifact `metrics`: the metrics of one representation. */
import { writeFileSync } from "node:fs";
import type { InputFile, Point } from "../../../runner/stage.ts";
import { labelOf, rawLabel, tellApart } from "../runs/groups.ts";
import type { Recipe } from "../runs/recipe.ts";
import { checkJson, readJson } from "./schema.ts";

/** A mean over queries with its 95 % bootstrap interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** How well the bits of the database's codes are used. */
export interface BitUse {
  /** How far the share of ones is from a half: the mean over bits, and of the worst one. In [0, 0.5]. */
  balance: { mean: number; worst: number };
  /** Bits that are the same in every code. */
  dead: number;
  /** Absolute correlation of two bits, neither of them dead: the mean over pairs, and the largest; 0 without a pair. */
  correlation: { mean: number; largest: number };
  /** Codes that differ from each other. */
  distinct: number;
  /** Bytes of a code. */
  bytes: number;
}

/** The artifact `metrics`. */
export interface Metrics {
  protocol: string;
  representation: "features" | "embedding" | "code";
  /** The params that made it; absent in results of older code. */
  made?: Recipe;
  distance: "euclidean" | "cosine" | "centred-cosine" | "hamming";
  /** Dimensions, or the bits of a code. */
  dim: number;
  /** Neighbours of kNN. */
  k: number;
  queries: number;
  database: number;
  metrics: Record<string, Estimate>;
  /** Of codes alone. */
  bits?: BitUse;
  /** Of vectors, where asked for: how well k-means finds the classes of the queries. */
  clustering?: { clusters: number; nmi: number; ami: number };
  /** `f1` where images have several labels. */
  classes: Record<string, { map: number; knn_accuracy: number; f1?: number }>;
}

/** Writes `metrics`. */
export function writeMetrics(path: string, metrics: Metrics): void {
  checkJson(metrics, "metrics", path);
  writeFileSync(path, `${JSON.stringify(metrics, null, 2)}\n`);
}

/** Metrics with the run that they belong to. */
export interface Evaluation extends Metrics {
  id: string;
  /** Of its group. */
  label: string;
  point: Point;
  hash: string;
  recipe: Recipe;
  /** Whether labels were used to make it. */
  trained: boolean;
}

function readEvaluation({ path, id, point, hash }: InputFile): Evaluation {
  const metrics = readJson<Metrics>(path, "metrics");
  const { representation, distance, made } = metrics;
  const label = representation === "features" ? rawLabel(point) : labelOf(point, id);
  const trained = representation === "embedding" || made?.training !== undefined;
  return { ...metrics, id, label, point, hash, recipe: { ...made, evaluation: { distance } }, trained };
}

/** Reads several `metrics`: runs that were not made alike have no label in common. @throws UserError when one is none */
export const readEvaluations = (files: InputFile[]): Evaluation[] =>
  tellApart(files.map(readEvaluation), ({ protocol }) => protocol);
