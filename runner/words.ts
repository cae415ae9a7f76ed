/** What people wrote, as messages repeat it. */
import { stripVTControlCharacters } from "node:util";

/** Characters of a value that are shown. */
const SHOWN = 80;

/** A value in one line that is not too long to read. */
export function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** A text of at most `length` characters; "…" stands for the rest. */
export const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/**
 * A text in one line, without what a terminal would obey: escape sequences, control characters, and marks that turn
 * the direction of text.
 */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");

/** No word is longer. */
const LONGEST = 200;

/** As {@link plain}, and no word too long to read: for messages that repeat what was written. */
export const oneLine = (text: string): string =>
  plain(text).replace(/\S+/g, (word) => (word.length > LONGEST ? `${word.slice(0, SHOWN)}…` : word));

/** So many are named; of more, the count. */
const NAMED = 3;

/** "a, b, c and 4 more" */
export function listed(words: string[]): string {
  const more = words.length - NAMED;
  return words.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Bytes that a file system allows in one name. */
const LONGEST_NAME = 255;

/** Why a path cannot be the name of a file on some system; "" when it can. */
export function nameFault(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a file system refuses NUL, a terminal runs the others
  if (/[\u0000-\u001f\u007f]/.test(path)) return "must hold no control character";
  const long = path.split("/").some((name) => Buffer.byteLength(name) > LONGEST_NAME);
  return long ? `must hold no name of more than ${LONGEST_NAME} bytes` : "";
}
