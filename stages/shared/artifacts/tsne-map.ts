/** Opens t-SNE maps. */
import type { InputFile, Point } from "../../../runner/stage.ts";
import { labelOf, rawLabel } from "../runs/groups.ts";
import { numbers, readMetadata, readTable } from "./tables.ts";

/** A t-SNE map with what its stage says of it. */
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

/** Reads a `tsne` map. @throws UserError when it is none */
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
