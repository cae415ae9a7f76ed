/** The tables that are joined. */
import { hasLabel, setBytes } from "../shared/artifacts/label-sets.ts";
import type { VectorRows, VectorTable } from "../shared/artifacts/vector-rows.ts";

/** A table, and the instance that made it. */
export type Opened = VectorTable & { id: string };

/**
 * Writes the joined table.
 * @param told the images written so far, now and then
 * @returns values a vector
 */
export type Join = (
  tables: Opened[],
  path: string,
  metadata: Record<string, unknown>,
  told: (images: number) => void,
) => Promise<number>;

/** Rows of each table that are in memory. */
export const ROWS = 1024;

/** Whether a row has several labels. */
export function hasSeveral({ sets, labels }: VectorRows, row: number, classes: number): boolean {
  if (!sets) return false;
  const bytes = setBytes(classes);
  for (let label = 0; label < classes; label++)
    if (label !== labels[row] && hasLabel(sets, row, label, bytes)) return true;
  return false;
}

/** Sets for {@link createVectors}, which only asks whether there are any: some table may have images of several labels. */
export const withSets = (tables: Opened[]): Uint8Array | undefined =>
  tables.some(({ hasSets }) => hasSets) ? new Uint8Array() : undefined;
