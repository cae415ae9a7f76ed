/** The command of a shell stage (`run:` in pipeline.yaml), with what it names put in. */
import { interpolate } from "./interpolate.ts";

/**
 * The command with the paths and params of a run, each quoted for the shell; an input of many files gives
 * many words.
 * @param values `in`, `out` and `with`, each a map from name to value or values
 * @param unknown called with an expression that names none of them
 */
export function fillCommand(
  command: string,
  values: Record<string, Record<string, unknown>>,
  unknown: (expression: string) => never,
): string {
  return interpolate(
    // One ${…} that is the whole command would keep its type: the line break makes it text. (A space would follow the
    // word that ends a here-document, which then never ends.)
    `${command}\n`,
    (expression) => {
      const [head, ...rest] = expression.split(".");
      const [map, name] = [values[head] ?? {}, rest.join(".")];
      return Object.hasOwn(map, name) ? [map[name]].flat().map(quoted).join(" ") : undefined;
    },
    unknown,
  ) as string;
}

/** One word for a POSIX shell, whatever is in it. */
const quoted = (value: unknown): string => `'${String(value).replaceAll("'", `'\\''`)}'`;
