/** The tables that are joined. */
import { sharedLabels } from "../shared/artifacts/label-sets.ts";
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

/** Whether a row has several labels. @param bytes of a set */
export const hasSeveral = ({ sets }: VectorRows, row: number, bytes: number): boolean =>
  sets !== undefined && sharedLabels(sets, row, sets, row, bytes) > 1;

/** Whether images of some table may have several labels. */
export const anySets = (tables: Opened[]): boolean => tables.some(({ hasSets }) => hasSets);
