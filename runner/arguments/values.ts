/** How commander reads the value of an option. */
import { InvalidArgumentError } from "commander";
import { wholeNumber } from "../text/index.ts";

/** A parser for commander that rejects a text for which `parse` gives undefined. @param expected the message */
export const valueBy =
  <Value>(parse: (text: string) => Value | undefined, expected: string) =>
  (text: string): Value => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(expected);
    return value;
  };

/** A parser for commander of whole numbers of at least `from`, and of at most `to`. */
export const wholeFrom = (from: number, to = Number.POSITIVE_INFINITY) =>
  valueBy(
    (text) => {
      const value = wholeNumber(text, from);
      return value !== undefined && value <= to ? value : undefined;
    },
    `It must be a whole number from ${from}${to < Number.POSITIVE_INFINITY ? ` to ${to}` : ""}.`,
  );
