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

/** The artifact `metrics`. */
export interface Metrics {
  protocol: string;
  representation: "features" | "embedding";
  distance: string;
  dim: number;
  /** Neighbours of kNN. */
  k: number;
  queries: number;
  database: number;
  metrics: Record<string, Estimate>;
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
