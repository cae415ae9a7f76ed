/** The data of a page's script: numbers that are shown in more ways than one, rounded to visible digits. */
import type { Point } from "../../../runner/stage.ts";
import type { Neighbours } from "../../shared/artifacts/neighbours.ts";
import type { Appearances } from "../../shared/runs/looks.ts";

/** A t-SNE map. */
export interface MapData {
  title: string;
  /** How it was made, and how far to trust it. */
  facts: string;
  /** `[points]`, scaled alike along both axes: the longer one goes from 0 to 1. */
  x: number[];
  y: number[];
  labels: number[];
  ids: number[];
  /** The browsed representation that it shows; none: -1. */
  representation: number;
}

/** One training, one value an evaluation. */
export interface RunData {
  /** Of its group. */
  label: string;
  point: Point;
  protocol: string;
  /** The loss function: losses of different functions have no common scale. */
  loss_name: string;
  steps: number[];
  images: number[];
  /** Triplets or pairs used so far; none where the loss takes neither. */
  triplets?: number[];
  /** In the steps so far: only where timings may be shown. */
  seconds?: number[];
  loss: number[];
  active: number[];
  map: number[];
  collapsed: boolean;
}

/** The confusion matrix of kNN. */
export interface Confusion {
  protocol: string;
  classes: string[];
  /** Queries of each class. */
  queries: number[];
  /** `[class][prediction]`: the share of the class's queries, mean over seeds. */
  groups: { label: string; shares: number[][] }[];
}

/** Thumbnails on one sheet: image i is in row ⌊i / columns⌋, column i mod columns. */
export interface Thumbnails {
  /** Data URI. */
  sheet: string;
  side: number;
  columns: number;
}

/** mAP of a method's codes by their length. */
export interface CodeLine {
  protocol: string;
  /** In words. */
  method: string;
  /** Of its first group: gives its colour. Published numbers have none. */
  label?: string;
  /** Whether labels were used to make it; of results that were measured here. */
  learned?: boolean;
  bits: number[];
  map: number[];
  /** 95 % over seeds; published numbers have none. */
  low?: number[];
  high?: number[];
}

/** Precision and recall of a run's codes within each Hamming radius, means over queries. */
export interface RadiusCurve {
  protocol: string;
  /** Of its group. */
  label: string;
  bits: number;
  /** `[radius]`, from 0. */
  precision: number[];
  recall: number[];
}

/** All of it. */
export interface PageData {
  classes: string[];
  groups: Appearances;
  neighbours?: Neighbours;
  thumbnails?: Thumbnails;
  maps: MapData[];
  runs: RunData[];
  confusions: Confusion[];
  codes: CodeLine[];
  radii: RadiusCurve[];
}

/** A page without anything to play with. */
export const NO_DATA: PageData = {
  classes: [],
  groups: {},
  maps: [],
  runs: [],
  confusions: [],
  codes: [],
  radii: [],
};

/** Measured time, in a file beside the page: the page itself is the same on every machine. */
export interface Seconds {
  /** The time of the selectors, in a sentence; "": nothing was compared. */
  mining: string;
  /** The runs of the page with their seconds. */
  runs: RunData[];
}
