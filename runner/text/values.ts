/** The values that a person may write: what JSON holds exactly, so that a key covers all of them. */
import { type Document, isScalar, parseDocument, type Scalar, visit } from "yaml";
import { brief } from "./one-line.ts";

/**
 * How YAML is read: whole numbers as they are written, for a double would round the large ones in silence. Keys that occur
 * twice are for {@link doubleKey}: the parser holds each against all before it.
 */
export const YAML_OPTIONS = { merge: true, intAsBigInt: true, uniqueKeys: false, logLevel: "error" } as const;

/** The second of two keys of one map that are the same; undefined when there is none. */
export function doubleKey(document: Document): Scalar | undefined {
  let found: Scalar | undefined;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key) || key.value === "<<") continue;
        const name = String(key.value);
        if (seen.has(name)) {
          found = key;
          return visit.BREAK;
        }
        seen.add(name);
      }
      return undefined;
    },
  });
  return found;
}

/** More levels than this are a mistake. */
const DEEPEST = 50;

/** The place of a value in the file: keys and indices from the top. */
export type Path = (string | number)[];
type Refuse = (path: Path, message: string) => never;

export const isMap = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** A copy of what JSON can hold: structuredClone takes ten times as long for the few params of an instance. */
export function copied<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copied) as Value;
  if (!isMap(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = copied(value[key]);
  return copy as Value;
}

/** The value of a key that the map itself holds. */
export const own = <Value>(map: Record<string, Value>, key: string): Value | undefined =>
  Object.hasOwn(map, key) ? map[key] : undefined;

/** The value at a path below a value; undefined when there is none. */
export function dig(value: unknown, path: string[]): unknown {
  for (const key of path) value = isMap(value) ? own(value, key) : undefined;
  return value;
}

/** As {@link dig}, also into lists. */
export const itemAt = (value: unknown, path: Path): unknown =>
  path.reduce(
    (found: unknown, key) => (Array.isArray(found) ? found[Number(key)] : dig(found, [String(key)])),
    value,
  );

/** Why a word cannot be a key; "" when it can. Every map of JavaScript seems to hold such a key already. */
export const keyFault = (key: string): string =>
  key in Object.prototype ? `${JSON.stringify(key)} cannot be a name here: JavaScript reserves it.` : "";

function plainNumber(value: number | bigint, path: Path, refuse: Refuse): number {
  const number = Number(value);
  if (!Number.isFinite(number))
    refuse(path, `${value} is no number that JSON can hold. Write a finite number, or leave it out.`);
  if (typeof value === "bigint" && !Number.isSafeInteger(number))
    refuse(
      path,
      `${value} would be rounded: whole numbers are exact up to ${Number.MAX_SAFE_INTEGER}. Write it as a text, in quotes.`,
    );
  return number === 0 ? 0 : number; // -0 and 0 have one text in JSON
}

/**
 * A value as YAML gave it, with its numbers as doubles; lists and maps are changed in their place.
 * @param refuse told of what JSON cannot hold, or would change: infinities, large whole numbers, dates, sets
 */
export function plainValue(value: unknown, refuse: Refuse, path: Path = []): unknown {
  if (typeof value === "number" || typeof value === "bigint") return plainNumber(value, path, refuse);
  if (value === null || ["string", "boolean"].includes(typeof value)) return value;
  if (path.length > DEEPEST)
    refuse(path, `is nested more than ${DEEPEST} levels deep, or holds itself by an alias.`);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = plainValue(item, refuse, [...path, index]);
    return value;
  }
  if (!isMap(value) || Object.getPrototypeOf(value) !== Object.prototype)
    return refuse(path, `${brief(value)} is no text, number, list or map. Write it as a text, in quotes.`);
  for (const [key, item] of Object.entries(value)) {
    const fault = keyFault(key);
    if (fault) refuse([...path, key], fault);
    value[key] = plainValue(item, refuse, [...path, key]);
  }
  return value;
}

/** The value of one text of YAML. @param refuse called with its error */
export function yamlValue(text: string, refuse: (message: string) => never): unknown {
  const document = parseDocument(text, YAML_OPTIONS);
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) refuse(`${fault.message.split("\n")[0].replace(/ at line \d+, column \d+:?$/, "")}.`);
  const double = doubleKey(document);
  if (double) refuse(`the key ${brief(double.value)} is there twice.`);
  return plainValue(document.toJS(), (path, message) =>
    refuse([path.join("."), message].filter(Boolean).join(": ")),
  );
}
