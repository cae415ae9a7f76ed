/** Texts as words of a shell. */

/** A text as one word of a POSIX shell, in single quotes: the shell expands nothing in it. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
