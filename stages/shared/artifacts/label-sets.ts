/**
 * Sets of labels, where images may have several: the optional column `labels` of a table. A set is
 * `setBytes(classes)` bytes: bit label % 8 of byte label >> 3. The column `label` then holds the lowest of each.
 */
import type { FixedSizeBinary, RecordBatch, Table } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { bytesColumn, type Columns } from "./arrow.ts";

/** Bytes of one set. */
export const setBytes = (classes: number): number => Math.ceil(classes / 8);

/** The column of the sets; none where images have one label each, so that such tables keep their bytes. */
export const setsColumn = (several: boolean, classes: number): Columns =>
  several ? { labels: bytesColumn(setBytes(classes)) } : {};

/** Packs lists of labels. @returns `[lists, setBytes(classes)]` */
export function packSets(lists: ArrayLike<number>[], classes: number): Uint8Array {
  const bytes = setBytes(classes);
  const sets = new Uint8Array(lists.length * bytes);
  for (const [row, labels] of lists.entries())
    for (let i = 0; i < labels.length; i++) sets[row * bytes + (labels[i] >> 3)] |= 1 << (labels[i] & 7);
  return sets;
}

/** The sets of rows; where there are none, sets of their one label each. */
export const setsOf = (
  { sets, labels }: { sets?: Uint8Array; labels: Uint16Array },
  classes: number,
): Uint8Array =>
  sets ??
  packSets(
    Array.from(labels, (label) => [label]),
    classes,
  );

/** Whether the set of a row holds a label. */
export const hasLabel = (sets: Uint8Array, row: number, label: number, bytes: number): boolean =>
  ((sets[row * bytes + (label >> 3)] >> (label & 7)) & 1) === 1;

/** How many labels a row of `a` and one of `b` share. */
export function sharedLabels(a: Uint8Array, i: number, b: Uint8Array, j: number, bytes: number): number {
  let count = 0;
  for (let byte = 0; byte < bytes; byte++)
    for (let common = a[i * bytes + byte] & b[j * bytes + byte]; common; common &= common - 1) count++;
  return count;
}

/** How many of some rows have each label, `[classes]`. */
export function countLabels(sets: Uint8Array, rows: ArrayLike<number>, classes: number): Uint32Array {
  const bytes = setBytes(classes);
  const counts = new Uint32Array(classes);
  for (let i = 0; i < rows.length; i++)
    for (let label = 0; label < classes; label++) if (hasLabel(sets, rows[i], label, bytes)) counts[label]++;
  return counts;
}

/** Whether some row of `a` and some row of `b` have no label in common; equal sets are looked at once. */
export function someApart(a: Uint8Array, b: Uint8Array, bytes: number): boolean {
  const [ofA, ofB] = [a, b].map((sets) => {
    const distinct = new Map<string, number>();
    for (let row = 0; row < sets.length / bytes; row++)
      distinct.set(String(sets.subarray(row * bytes, (row + 1) * bytes)), row);
    return [...distinct.values()];
  });
  return ofA.some((i) => ofB.some((j) => sharedLabels(a, i, b, j, bytes) === 0));
}

/** The sets of chosen rows, `[rows, setBytes(classes)]`. */
export function takeSets(
  sets: Uint8Array,
  rows: ArrayLike<number>,
  classes: number,
  taken: Uint8Array = new Uint8Array(rows.length * setBytes(classes)),
): Uint8Array {
  const bytes = setBytes(classes);
  for (let i = 0; i < rows.length; i++)
    taken.set(sets.subarray(rows[i] * bytes, (rows[i] + 1) * bytes), i * bytes);
  return taken;
}

/** The sets of chosen rows as zeros and ones, `[rows, classes]`. */
export function expandSets(sets: Uint8Array, rows: ArrayLike<number>, classes: number): Uint8Array {
  const bytes = setBytes(classes);
  const flags = new Uint8Array(rows.length * classes);
  for (let i = 0; i < rows.length; i++)
    for (let label = 0; label < classes; label++)
      if (hasLabel(sets, rows[i], label, bytes)) flags[i * classes + label] = 1;
  return flags;
}

/** The sets where an image has more than one label; undefined where each has one: `label` then says all. */
export function ifSeveral(sets: Uint8Array, rows: number): Uint8Array | undefined {
  const bytes = sets.length / rows;
  for (let row = 0; row < rows; row++) if (sharedLabels(sets, row, sets, row, bytes) > 1) return sets;
  return undefined;
}

/**
 * Reads the sets of a whole table.
 * @returns undefined also where each image has one label, so that one-hot sets give what labels give, to the bit
 * @throws UserError as {@link readSetColumn} does
 */
export function readSets(
  table: Table,
  rows: { ids: Uint32Array; labels: Uint16Array; classes: number },
  path: string,
): Uint8Array | undefined {
  const sets = readSetColumn(table, rows, path);
  return sets && ifSeveral(sets, rows.ids.length);
}

/**
 * Reads the sets of a table or of one batch of it.
 * @param ids and labels of its rows
 * @returns `[rows, setBytes(classes)]`; undefined where the table has no such column
 * @throws UserError when a set is empty, holds a label that is no class, or does not begin with the row's label
 */
export function readSetColumn(
  table: Table | RecordBatch,
  { ids, labels, classes }: { ids: Uint32Array; labels: Uint16Array; classes: number },
  path: string,
): Uint8Array | undefined {
  const column = table.getChild("labels");
  if (!column) return undefined;
  const bytes = setBytes(classes);
  const { byteWidth } = column.type as FixedSizeBinary;
  if (byteWidth !== bytes)
    throw new UserError(
      `${path}: a set of labels of ${classes} classes takes ${bytes} bytes, but a row has ${byteWidth}. Make it again.`,
    );
  const sets = new Uint8Array(ids.length * bytes);
  let at = 0;
  for (const { values, offset, length } of column.data) {
    sets.set((values as Uint8Array).subarray(offset * bytes, (offset + length) * bytes), at);
    at += length * bytes;
  }
  for (let row = 0; row < ids.length; row++) {
    let lowest = -1;
    for (let label = 8 * bytes - 1; label >= 0; label--) {
      if (!hasLabel(sets, row, label, bytes)) continue;
      if (label >= classes)
        throw new UserError(
          `${path}: image ${ids[row]} has label ${label}, but there are ${classes} classes (0 to ${classes - 1}).`,
        );
      lowest = label;
    }
    if (lowest < 0)
      throw new UserError(
        `${path}: image ${ids[row]} has no label. Give every image at least one, or leave it out.`,
      );
    if (lowest !== labels[row])
      throw new UserError(
        `${path}: image ${ids[row]} has label ${labels[row]}, but the lowest of its labels is ${lowest}. Make it again.`,
      );
  }
  return sets;
}
