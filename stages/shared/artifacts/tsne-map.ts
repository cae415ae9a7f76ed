/** The artifact `tsne`: t-SNE maps. */
import { Float32, Uint16, Uint32 } from "apache-arrow";
import type { InputFile, Point } from "../../../runner/stage.ts";
import { labelOf, rawLabel } from "../runs/groups.ts";
import { numbers, readMetadata, readTable, writeTable } from "./arrow.ts";

/** A t-SNE map and the facts about it. */
export interface TsneMap {
  id: string;
  /** Of the vectors' group. */
  label: string;
  /** The instance that made the vectors, and its point. */
  of: string;
  point: Point;
  classes: string[];
  ids: Uint32Array;
  labels: Uint16Array;
  x: Float32Array;
  y: Float32Array;
  perplexity: number;
  trustworthiness: number;
  /** The k of the trustworthiness. */
  neighbours: number;
  iterations: number;
  kl: number;
  dim: number;
  seed: number;
}

/** The points of a map, `[points]` each. */
export type MapPoints = Pick<TsneMap, "ids" | "labels" | "x" | "y">;

/** Writes a `tsne` map. */
export function writeMap(path: string, { ids, labels, x, y }: MapPoints, metadata: object): void {
  writeTable(
    path,
    "tsne",
    { id: new Uint32(), label: new Uint16(), x: new Float32(), y: new Float32() },
    ids.length,
    { id: ids, label: labels, x, y },
    { ...metadata },
  );
}

/** Reads a `tsne` map. @throws UserError when the file is another artifact */
export function readMap({ path, id }: InputFile): TsneMap {
  const table = readTable(path, "tsne");
  const metadata = readMetadata(table) as unknown as TsneMap & { made_from?: { loss?: string } };
  const { point } = metadata;
  return {
    ...metadata,
    id,
    label: metadata.made_from?.loss === undefined ? rawLabel(point) : labelOf(point, id),
    ids: numbers(table, "id"),
    labels: numbers(table, "label"),
    x: numbers(table, "x"),
    y: numbers(table, "y"),
  };
}
