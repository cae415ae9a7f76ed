/** Names that a person or a server gave, as messages and pictures can show them. */

/** Control characters, lone surrogates, line separators, and marks that change the direction of the text around them. */
const HIDDEN =
  /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text with every character that would break a line, a terminal or a picture written as `\u001b`. */
export const shown = (text: string): string =>
  text.replace(HIDDEN, (sign) => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, "0")}`);
