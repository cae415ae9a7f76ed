/** What a search found, as lines for people and as JSON for programs. */
import { shown } from "../stages/shared/text.ts";
import type { Hit } from "./nearest.ts";
import { fileOf, type Index } from "./opened.ts";

export interface Answer {
  /** The file that was searched. */
  query: string;
  milliseconds: number;
  /** Nearest first. */
  hits: Hit[];
}

/** An image that was found, as `--json` tells it. */
interface Found {
  /** Its file; where the index is of a data set, its name or its id there. */
  image: string | number;
  class: string;
  /** Bits in which the codes differ. */
  distance: number;
  /** Cosine distance of the outputs behind the bits, which orders equal distances. */
  output_distance: number;
  /** Whether its pixels are those of the query. */
  same: boolean;
  /** Images of the index at this distance, this one too. */
  ties: number;
}

function found(index: Index, { row, distance, apart, same, ties }: Hit): Found {
  const { codes, names } = index;
  return {
    image: fileOf(index, row) ?? names?.[row] ?? codes.ids[row],
    class: codes.classes[codes.labels[row]],
    distance,
    output_distance: Number(apart.toPrecision(4)),
    same,
    ties,
  };
}

/** What `--json` prints. */
export const toJson = (index: Index, answers: Answer[]) =>
  answers.map(({ query, milliseconds, hits }) => ({
    query,
    milliseconds,
    nearest: hits.map((hit) => found(index, hit)),
  }));

/** What the lines above leave open: who is the query itself, and how many images share a distance. */
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

/** The answers, line by line. */
export function* textOf(index: Index, answers: Answer[]): Generator<string> {
  for (const { query, milliseconds, hits } of answers) {
    yield `${shown(query)} (${milliseconds} ms)`;
    for (const hit of hits) {
      const { image, class: name, distance } = found(index, hit);
      yield `  ${String(distance).padStart(3)}  ${name ? `${shown(name)}  ` : ""}${shown(String(image))}`;
    }
    const notes = notesOf(hits);
    if (notes) yield `       ${notes}`;
  }
}
