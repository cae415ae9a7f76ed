/** What people wrote, as messages repeat it. */

/** Characters of a value that are shown. */
const SHOWN = 80;

/** A value in one line that is not too long to read. */
export function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** No word is longer. */
const LONGEST = 200;

/** A text with nothing in it that would break the line or the terminal, for messages that repeat what was written. */
export const oneLine = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/\S+/g, (word) => (word.length > LONGEST ? `${word.slice(0, SHOWN)}…` : word));
