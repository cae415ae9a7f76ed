/** The metrics of one representation, as `evaluate` writes and plots and reports read them. */
import type { InputFile, Point } from "../../runner/stage.ts";
import { readJson } from "./artifacts.ts";
import { labelOf, rawLabel } from "./groups.ts";

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
  classes: Record<string, { map: number; knn_accuracy: number }>;
}

/** Metrics with the run they are of. */
export interface Evaluation extends Metrics {
  id: string;
  /** Of its group. */
  label: string;
  point: Point;
  hash: string;
}

/** Reads a `metrics`. @throws UserError when it is none */
export function readEvaluation({ path, id, point, hash }: InputFile): Evaluation {
  const metrics = readJson<Metrics>(path, "metrics");
  const label = metrics.representation === "features" ? rawLabel(point) : labelOf(point, id);
  return { ...metrics, id, label, point, hash };
}
