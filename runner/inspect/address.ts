/** Naming one number of a JSON file by some of the words on the way to it: `facenet/semihard-negative.map`. */

import { UserError } from "../stage.ts";
import { nearest, suggest } from "../text/index.ts";

/** A number, or a group of numbers, of a JSON file. */
export interface Address {
  keys: string[];
  value: unknown;
}

/** More addresses than this are counted, not listed. */
const MOST = 20;

/** The words of a key or of what a person types: the texts between spaces, `.`, `/`, `,` and `·`. */
const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[\s./,·]+/)
    .filter(Boolean);

/** A key as it is typed: its words joined by `/`, the keys by `.`. */
export const written = (keys: string[]): string => keys.map((key) => wordsOf(key).join("/")).join(".");

/** Everything that is a number or holds one, from the top. */
function nodesOf(value: unknown, keys: string[] = []): Address[] {
  if (typeof value === "number") return [{ keys, value }];
  if (value === null || typeof value !== "object") return [];
  const below = Object.entries(value).flatMap(([key, inner]) => nodesOf(inner, [...keys, key]));
  return below.length && keys.length ? [{ keys, value }, ...below] : below;
}

/** A node with the words on the way to it. */
type Node = Address & { words: string[] };

/** The nodes of numbers that were asked before: a report has tens of thousands. */
const known = new WeakMap<object, Node[]>();

function nodesWithWords(numbers: unknown): Node[] {
  const make = () => nodesOf(numbers).map((node) => ({ ...node, words: node.keys.flatMap(wordsOf) }));
  if (numbers === null || typeof numbers !== "object") return make();
  const nodes = known.get(numbers) ?? make();
  known.set(numbers, nodes);
  return nodes;
}

/** Whether `all` contains all of `some`, in this order, and the last of both is the same. */
function leadsTo(some: string[], all: string[]): boolean {
  if (some.at(-1) !== all.at(-1)) return false;
  let at = 0;
  for (const word of all) if (at < some.length && word === some[at]) at++;
  return at === some.length;
}

/** The groups that hold numbers themselves: those worth listing. */
const holds = ({ value }: Address) =>
  typeof value === "object" && Object.values(value as object).some((one) => typeof one === "number");

function list(addresses: Address[]): string {
  const lines = addresses.slice(0, MOST).map(({ keys }) => `  ${written(keys)}`);
  const rest = addresses.length - lines.length;
  return [...lines, ...(rest > 0 ? [`  … and ${rest} more; one word narrows them down`] : [])].join("\n");
}

/** The known word that a word is the start of, or that is nearest to it; undefined when none is near. */
function nearestWord(word: string, vocabulary: string[]): string | undefined {
  const longer = vocabulary.filter((one) => one.startsWith(word));
  if (longer.length) return longer.reduce((short, one) => (one.length < short.length ? one : short));
  return nearest(word, vocabulary);
}

/** An address in which known words replace those that are not; "" where one has no word near it. */
function corrected(query: string, vocabulary: string[]): string {
  let isNear = true;
  const text = query.replace(/[^\s./,·]+/g, (word) => {
    if (vocabulary.includes(word.toLowerCase())) return word;
    const near = nearestWord(word.toLowerCase(), vocabulary);
    isNear &&= near !== undefined;
    return near ?? word;
  });
  return isNear ? text : "";
}

/**
 * The number, or the group of numbers, that some words name: in order, the last one being its own. Of several
 * the one with the fewest words left out.
 * @param query "" lists what there is
 * @throws UserError listing the addresses that come near, when there is none or several are equally near
 */
export function findNumber(numbers: unknown, query: string, where: string): Address {
  const nodes = nodesWithWords(numbers);
  const wanted = wordsOf(query);
  if (wanted.length === 0)
    throw new UserError(
      `${where}: name one of its numbers, as ${where}#WORDS:\n${list(nodes.filter(holds))}`,
    );
  const hits = nodes.filter(({ words }) => leadsTo(wanted, words));
  const least = hits.reduce((few, { words }) => Math.min(few, words.length), Number.POSITIVE_INFINITY);
  const [best, ...equal] = hits.filter(({ words }) => words.length === least);
  if (best && equal.length === 0) return { keys: best.keys, value: best.value };
  if (best)
    throw new UserError(
      `${where}#${query}: ${equal.length + 1} numbers are called so. Write more of one:\n${list([best, ...equal])}`,
    );
  const vocabulary = [...new Set(nodes.flatMap(({ words }) => words))];
  const near = corrected(query, vocabulary);
  if (near && nodes.some(({ words }) => leadsTo(wordsOf(near), words)))
    throw new UserError(`${where}#${query}: no such number. Did you mean "${where}#${near}"?`);
  const hints = wanted.filter((word) => !vocabulary.includes(word)).map((word) => suggest(word, vocabulary));
  const right = wanted.filter((word) => vocabulary.includes(word));
  const all = nodes.filter(holds);
  const some = all.filter(({ words }) => right.every((word) => words.includes(word)));
  throw new UserError(
    `${where}#${query}: no such number.${[...new Set(hints)].join("")} ${some.length && right.length ? `With ${right.join(", ")} there are` : "There are"}:\n${list(some.length ? some : all)}`,
  );
}
