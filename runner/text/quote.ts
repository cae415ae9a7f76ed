/** Texts as words of a shell. */

/** A text as one word of a POSIX shell, in single quotes: the shell expands nothing in it. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** As {@link shellWord}, and as it is where a shell takes it so. */
export const commandWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : shellWord(text));
