/**
 * How well vectors or codes retrieve and classify, under a split: the numbers of the stages `evaluate` and
 * `evaluate-codes`, exact about ties.
 *
 * @example
 * const { map, accuracy, precisionAt } = await evaluate(vectors, split, { at: [10] });
 * @module
 */
import { UserError } from "../runner/stage.ts";
import { rankAll, takeRows } from "../stages/evaluate/neighbours.ts";
import { bytesOf, type Codes } from "../stages/shared/artifacts/codes.ts";
import { type Roles, retrievesItself, rowsOf, type Split } from "../stages/shared/artifacts/split.ts";
import type { Vectors } from "../stages/shared/artifacts/vectors.ts";
import { checkFilled, chooseK } from "../stages/shared/retrieval/evaluation.ts";
import { Counts } from "../stages/shared/retrieval/hamming/counts.ts";
import { metricsOfCounts } from "../stages/shared/retrieval/hamming/metrics.ts";

export type { Codes } from "../stages/shared/artifacts/codes.ts";
export type { Split } from "../stages/shared/artifacts/split.ts";
export type { Vectors } from "../stages/shared/artifacts/vectors.ts";

export interface EvaluateOptions {
  distance?: "euclidean" | "cosine";
  /** Of kNN: the best on the validation images is taken. */
  ks?: number[];
  /** Ranks at which precision and recall are measured. */
  at?: number[];
}

/** Means over the queries. */
export interface Retrieval {
  map: number;
  /** In the order of `at`. */
  precisionAt: number[];
  recallAt: number[];
}

/** The numbers of vectors. */
export interface Evaluation extends Retrieval {
  /** Share of the queries that kNN classifies right. */
  accuracy: number;
  /** Neighbours that vote. */
  k: number;
}

const AT = [1, 10, 100];

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

/** @throws UserError where queries are to search each other, which only the stages do */
function refuseSelf({ protocol }: Split): void {
  if (retrievesItself(protocol))
    throw new UserError(
      "evaluate: under the protocol self queries search each other. Use the stage evaluate.",
    );
}

/**
 * Measures vectors: the queries of the split search its database; k is chosen on its validation images.
 * @throws UserError when a role of the split has no images
 */
export async function evaluate(
  vectors: Vectors,
  split: Split,
  { distance = "euclidean", ks = [1, 5, 10], at = AT }: EvaluateOptions = {},
): Promise<Evaluation> {
  refuseSelf(split);
  const { dim, classes } = vectors;
  const rowsOfRole = (role: keyof Roles) => rowsOf(split, role, vectors.ids, "evaluate");
  const rows = {
    train: rowsOfRole("train"),
    validation: rowsOfRole("validation"),
    query: rowsOfRole("query"),
    database: rowsOfRole("database"),
  };
  checkFilled(rows, "evaluate");
  const take = (role: keyof Roles) => takeRows(vectors, rows[role], undefined, distance === "cosine");
  const options = {
    dim,
    classes: classes.length,
    threads: 1,
    url: import.meta.url,
    onProgress() {},
    signal: new AbortController().signal,
  };
  const [validation, query] = [take("validation"), take("query")];
  const trial = await rankAll(validation, take("train"), { ...options, ks, at: "predictions only" });
  const { k } = chooseK(ks, trial, validation, classes.length);
  const { predictions, columns } = await rankAll(query, take("database"), { ...options, ks: [k], at });
  return {
    map: mean(columns.map),
    precisionAt: at.map((rank) => mean(columns[`precision@${rank}`])),
    recallAt: at.map((rank) => mean(columns[`recall@${rank}`])),
    accuracy: mean(query.labels.map((label, i) => Number(predictions[i] === label))),
    k,
  };
}

/**
 * Measures codes by Hamming distance; every value is its expectation over all orders of items at one distance.
 * @throws UserError when the split has no queries or no database
 */
export function evaluateCodes(
  { values, ids, labels, bits, classes }: Pick<Codes, "values" | "ids" | "labels" | "bits" | "classes">,
  split: Split,
  { at = AT }: Pick<EvaluateOptions, "at"> = {},
): Retrieval {
  refuseSelf(split);
  const database = rowsOf(split, "database", ids, "evaluateCodes");
  const queries = rowsOf(split, "query", ids, "evaluateCodes");
  checkFilled({ query: queries, database }, "evaluateCodes");
  const bytes = bytesOf(bits);
  const codeOf = (row: number) => values.subarray(row * bytes, (row + 1) * bytes);
  const searched = new Uint8Array(database.length * bytes);
  for (const [place, row] of database.entries()) searched.set(codeOf(row), place * bytes);
  const counts = new Counts(
    searched,
    bits,
    Uint16Array.from(database, (row) => labels[row]),
    classes.length,
  );
  const found = Array.from(queries, (row) => {
    counts.count(codeOf(row));
    return metricsOfCounts(counts.all, counts.relevant(labels[row]), at);
  });
  return {
    map: mean(found.map(({ map }) => map)),
    precisionAt: at.map((_, i) => mean(found.map(({ precisionAt }) => precisionAt[i]))),
    recallAt: at.map((_, i) => mean(found.map(({ recallAt }) => recallAt[i]))),
  };
}
