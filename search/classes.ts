/** Classes that a person names. */
import { UserError } from "../runner/stage.ts";
import { suggest } from "../runner/text/index.ts";
import { shown } from "../stages/shared/text.ts";
import type { Index } from "./opened.ts";

/** Classes that an error names. */
const NAMED = 10;

/**
 * The labels of classes.
 * @param option what named them; @param where what the index is called
 * @throws UserError for a class that the index has not
 */
export function labelsOf({ codes }: Index, names: string[], option: string, where: string): Set<number> {
  return new Set(
    names.map((name) => {
      const label = codes.classes.indexOf(name);
      if (label >= 0) return label;
      const known = codes.classes.filter(Boolean);
      throw new UserError(
        `${option} ${shown(name)}: ${where} has no such class.${suggest(name, known) || ` It has ${known.length > 0 ? known.slice(0, NAMED).map(shown).join(", ") + (known.length > NAMED ? ", …" : "") : "none"}.`}`,
      );
    }),
  );
}
