/** The one way of text to a terminal: nothing in it but this tool's own colours is obeyed. */
import { colors } from "./colors.ts";
import { plain } from "./one-line.ts";
import { thrown } from "./thrown.ts";

/** The colours that colors.ts gives: bold, dim and six hues. A text of others' that brings them does no harm. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const OWN_COLORS = /(\u001b\[(?:1|2|22|3[1-6]|39)m)/;

/** A text of any lines for a terminal, or for a file where this process writes no colours. */
export function harmless(text: string): string {
  const pieces = colors.isColorSupported ? text.split(OWN_COLORS) : [text];
  return pieces
    .map((piece, index) =>
      index % 2 ? piece : piece.replace(/[^\n\t]+/g, (line) => plain(line.replace(/\r$/, ""))),
    )
    .join("");
}

let guarded = false;

/**
 * Passes all output of this process through {@link harmless}, and survives a reader that has gone: a run goes on to
 * its end, and its exit code has the result.
 */
export function guardOutput(): void {
  if (guarded) return;
  guarded = true;
  for (const name of ["log", "error"] as const) {
    const print = console[name].bind(console);
    console[name] = (...values: unknown[]) =>
      print(...values.map((value) => (typeof value === "string" ? harmless(value) : value)));
  }
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code !== "EPIPE" && stream === process.stdout) process.exitCode ||= 1; // as a full disk behind "> file"
    });
}

/** A display that no error of its own can end a run by: the first is told, and the run goes on. */
export function unbreakable<D extends object>(display: D, tell: (line: string) => void): D {
  let told = false;
  return new Proxy(display, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        try {
          return Reflect.apply(value, target, args);
        } catch (error) {
          if (!told) tell(`the display failed (${thrown(error).message}). The run goes on.`);
          told = true;
        }
      };
    },
  });
}
