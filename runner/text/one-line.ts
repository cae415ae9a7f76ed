/** Text that people wrote, in the form that messages repeat it. */
import { createHash } from "node:crypto";
import { stripVTControlCharacters } from "node:util";

/** Characters of a value that are shown. */
const SHOWN = 80;

/** Digits of a secret's sha256 that stand for it: enough to tell that it changed, too few to find it by. */
const MARK = 8;
const masked = (secret: string): string =>
  /^\*\*\*([0-9a-f]{8})?$/.test(secret)
    ? secret
    : `***${createHash("sha256").update(secret).digest("hex").slice(0, MARK)}`;

/** The text after the `://` of an address, up to the next one. */
function maskedAddress(rest: string): string {
  const end = rest.search(/[/?#]|$/);
  const isPort = /^[^:@]*(:\d*)?$/.test(rest.slice(0, end)); // else a password with a slash in it
  const at = rest.lastIndexOf("@", isPort ? 0 : rest.search(/\?|$/));
  const hidden = at < 0 ? rest : `${masked(rest.slice(0, at))}${rest.slice(at)}`;
  const query = hidden.indexOf("?");
  if (query < 0) return hidden;
  const values = hidden
    .slice(query)
    .replace(/([?&][^=&#]*=)([^&#]*)/g, (_, name, secret) => `${name}${masked(secret)}`);
  return `${hidden.slice(0, query)}${values}`;
}

/** A text in which marks stand for the user and password of web addresses, and for the values of their queries. */
export const redacted = (text: string): string =>
  text.includes("://")
    ? text.replace(/[^\s"'<>]+/g, (word) =>
        word
          .split("://")
          .map((piece, index) => (index === 0 ? piece : maskedAddress(piece)))
          .join("://"),
      )
    : text;

/** A value in which every text is {@link redacted}. */
export function withoutSecrets<T>(value: T): T {
  if (typeof value === "string") return redacted(value) as T;
  if (Array.isArray(value)) return value.map(withoutSecrets) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecrets(inner)])) as T;
}

/** A value in one line that is not too long to read, and tells no secret of an address. */
export function brief(value: unknown): string {
  const text = redacted(JSON.stringify(value) ?? String(value));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** No word and no quoted text is longer. */
const LONGEST = 200;

/** A text of at most `length` characters; "…" stands for the rest. */
export const shortened = (text: string, length = LONGEST): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/**
 * A text in one line, without what a terminal would obey: escape sequences, control characters, and marks that turn
 * the direction of text.
 */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");

/** No line is longer: of one that is, the first part, which says where, and the last one, which says what to do. */
const LONGEST_LINE = 1200;
const FIRST_PART = 900;

const shortLine = (line: string): string =>
  line.length > LONGEST_LINE
    ? `${line.slice(0, FIRST_PART)} … ${line.slice(line.length - (LONGEST_LINE - FIRST_PART))}`
    : line;

/** As {@link plain}, and nothing in it too long to read: for messages that repeat a person's text. */
export const oneLine = (text: string): string =>
  shortLine(
    plain(text)
      .replace(/"[^"]*"/g, (quoted) => (quoted.length > LONGEST ? `${quoted.slice(0, SHOWN)}…"` : quoted))
      .replace(/\S+/g, (word) => (word.length > LONGEST ? `${word.slice(0, SHOWN)}…` : word)),
  );

/** A key as its place names it: in quotes where some of it, or all, would not be seen. */
function keyText(key: string | number): string {
  const text = String(key); // a key that is a list or a map is as long as its text
  return shortened(text.trim() && plain(text) === text ? text : JSON.stringify(text), SHOWN);
}

/** `train.with.margin` for `[train, with, margin]`. */
export const dotted = (path: readonly (string | number)[]): string => path.map(keyText).join(".");

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
