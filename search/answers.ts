/** The answers of a search, as lines for people and as JSON for programs. */
import { shown } from "../stages/shared/text.ts";
import type { Hit, Order } from "./nearest.ts";
import { fileOf, type Index } from "./opened.ts";

export interface Answer {
  /** The file that was searched. */
  query: string;
  milliseconds: number;
  /** Nearest first. */
  hits: Hit[];
}

/** An image that was found, as `--json` prints it. */
export interface Found {
  /** Its file; where the index is of a data set, its name or its id there. */
  image: string | number;
  class: string;
  /** From 0 to 1, by the order asked for: of the bits that agree, the share; or of the outputs, (1 + cos) / 2. */
  score: number;
  /** Bits in which the codes differ. */
  distance: number;
  /** Cosine distance of the outputs behind the bits, which orders equal distances. */
  output_distance: number;
  /** Whether its pixels are those of the query. */
  same: boolean;
  /** Images of the index at this distance, this one too. */
  ties: number;
}

export function found(index: Index, { row, distance, apart, same, ties }: Hit, order: Order = "bits"): Found {
  const { codes, names } = index;
  return {
    image: fileOf(index, row) ?? names?.at(row) ?? codes.ids[row],
    class: codes.classes[codes.labels[row]],
    score: Number((order === "bits" ? 1 - distance / codes.bits : 1 - apart / 2).toFixed(4)),
    distance,
    output_distance: Number(apart.toPrecision(4)),
    same,
    ties,
  };
}

/** The answer to a query as `--json` and `--json-lines` print it: schemas/search-answer.artifact.schema.json. */
export const toJson = (index: Index, { query, milliseconds, hits }: Answer, order?: Order) => ({
  query,
  milliseconds,
  nearest: hits.map((hit) => found(index, hit, order)),
});

/** Remarks below the lines: which image is the query itself, and how many images share a distance. */
function notesOf(hits: Hit[]): string {
  const notes: string[] = [];
  const same = hits.filter((hit) => hit.same).length;
  if (same > 0) notes.push(`the first ${same > 1 ? `${same} have` : "has"} the query's very pixels`);
  const ties = new Map(hits.map(({ distance, ties }) => [distance, ties]));
  const several = [...ties].filter(([, count]) => count > 1).sort(([a], [b]) => a - b);
  if (several.length > 0)
    notes.push(
      `${several.map(([distance, count]) => `${count} images differ in ${distance} bit${distance === 1 ? "" : "s"}`).join(", ")} (ordered by the outputs behind the bits)`,
    );
  return notes.join("; ");
}

/** An answer, line by line. */
export function* textOf(index: Index, { query, milliseconds, hits }: Answer): Generator<string> {
  yield `${shown(query)} (${milliseconds} ms)`;
  for (const hit of hits) {
    const { image, class: name, distance } = found(index, hit);
    yield `  ${String(distance).padStart(3)}  ${name ? `${shown(name)}  ` : ""}${shown(String(image))}`;
  }
  const notes = hits.length === 0 ? "no image is as near and of such a class" : notesOf(hits);
  if (notes) yield `       ${notes}`;
}
