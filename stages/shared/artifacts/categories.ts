/**
 * Categories of classes, as the 12 super-classes of Stanford Online Products: the metadata `categories` of tables of
 * images and of splits, the name of its category for each class. Other tables, and data sets without any, have no such.
 */
import type { RecordBatch, Table } from "apache-arrow";
import { UserError } from "../../../runner/stage.ts";
import { readBatches, readMetadata, readTable } from "./arrow.ts";

/** The categories of a table, as its metadata has them. */
export interface Categories {
  /** `[classes]` names; absent where the classes have none. */
  categories?: string[];
  /** Why not, where a list names categories that are not one for each class. */
  no_categories?: string;
}

/** Checks the categories in the metadata of a table. @throws UserError when not every class has one */
function categoriesIn(table: Table | RecordBatch, path: string): Categories {
  const { categories, no_categories, classes } = readMetadata(table) as Categories & { classes?: string[] };
  if (categories && categories.length !== classes?.length)
    throw new UserError(
      `${path}: names the categories of ${categories.length} classes, but there are ${classes?.length ?? 0}. Make it again.`,
    );
  return { ...(categories && { categories }), ...(no_categories !== undefined && { no_categories }) };
}

/** Reads the categories of a table of images. */
export async function imageCategories(path: string): Promise<Categories> {
  for await (const batch of readBatches(path, "images")) return categoriesIn(batch, path);
  return {};
}

/** The same of a split. */
export const splitCategories = (path: string): Categories => categoriesIn(readTable(path, "split"), path);

/** The number of its category for each of some labels, in the order in which categories first name a class. */
export function categoriesOf(labels: Uint16Array, categories: string[]): Uint16Array {
  const numbers = new Map([...new Set(categories)].map((name, number) => [name, number]));
  return labels.map((label) => numbers.get(categories[label])!);
}
