/** `${...}` in the values of pipeline.yaml. */

/** Looks up one expression, as `vars.seed`; undefined when there is no such thing. */
export type Lookup = (expression: string) => unknown;

/** What a lookup gives for something that may be left out: the key or the item it stands for goes. */
export const OMIT = Symbol("omit");

const HOLE = /\$\{([^}]*)\}/g;

const text = (value: unknown): string => (value === OMIT ? "" : String(value));

/**
 * Puts values in the place of every `${...}` in the strings of `value`. A string that is one `${...}` takes
 * the value with its type; in a longer string it is written out. Expressions that begin with one of `later`
 * (`in.`, `out.`: known only when the stage runs) stay.
 * @param unknown called with the expression and its path for what `lookup` doesn't know
 */
export function interpolate(
  value: unknown,
  lookup: Lookup,
  unknown: (expression: string, path: (string | number)[]) => never,
  later: string[] = [],
  path: (string | number)[] = [],
): unknown {
  if (typeof value === "string") {
    const find = (expression: string) => {
      const found = lookup(expression);
      return found === undefined ? unknown(expression, path) : found;
    };
    const whole = /^\$\{([^}]*)\}$/.exec(value);
    const waits = (expression: string) => later.some((prefix) => expression.startsWith(prefix));
    if (whole && !waits(whole[1].trim())) return find(whole[1].trim());
    return value.replace(HOLE, (hole, inner: string) =>
      waits(inner.trim()) ? hole : text(find(inner.trim())),
    );
  }
  if (Array.isArray(value))
    return value
      .map((item, index) => interpolate(item, lookup, unknown, later, [...path, index]))
      .filter((item) => item !== OMIT);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, item]) => [key, interpolate(item, lookup, unknown, later, [...path, key])])
        .filter(([, item]) => item !== OMIT),
    );
  return value;
}
