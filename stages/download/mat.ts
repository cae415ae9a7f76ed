/**
 * Reads MATLAB 5 files (MathWorks, "MAT-File Format", version 5): structures, cells, texts and numbers, as the
 * annotations of data sets use them.
 */
import { inflateSync } from "node:zlib";
import { UserError } from "../../runner/stage.ts";

/** A value of such a file: an array of numbers, a text, a cell's values, or an array of structures. */
export type MatValue = number[] | string | MatValue[] | { [field: string]: MatValue }[];

/** Bytes before the first element. */
const HEADER = 128;
/** The largest unpacked element: annotations, not images. */
const MOST_BYTES = 2 ** 28;
const COMPRESSED = 15;
const MATRIX = 14;
/** Classes of arrays. */
const CELL = 1;
const STRUCT = 2;
const CHAR = 4;
const NUMBERS = [6, 7, 8, 9, 10, 11, 12, 13];

interface Element {
  type: number;
  data: Buffer;
  /** Where the next element starts. */
  next: number;
}

/** Reads one number of a data type of the format. */
const READERS: Record<number, [bytes: number, read: (data: Buffer, at: number) => number]> = {
  1: [1, (data, at) => data.readInt8(at)],
  2: [1, (data, at) => data.readUInt8(at)],
  3: [2, (data, at) => data.readInt16LE(at)],
  4: [2, (data, at) => data.readUInt16LE(at)],
  5: [4, (data, at) => data.readInt32LE(at)],
  6: [4, (data, at) => data.readUInt32LE(at)],
  7: [4, (data, at) => data.readFloatLE(at)],
  9: [8, (data, at) => data.readDoubleLE(at)],
  16: [1, (data, at) => data.readUInt8(at)], // UTF-8
  17: [2, (data, at) => data.readUInt16LE(at)], // UTF-16
};

function elementAt(bytes: Buffer, at: number): Element {
  const first = bytes.readUInt32LE(at);
  const short = first >>> 16;
  if (short) return { type: first & 0xffff, data: bytes.subarray(at + 4, at + 4 + short), next: at + 8 };
  const size = bytes.readUInt32LE(at + 4);
  const end = at + 8 + size;
  if (end > bytes.length) throw new RangeError("it is truncated");
  const padded = first === COMPRESSED ? end : at + 8 + Math.ceil(size / 8) * 8;
  return { type: first, data: bytes.subarray(at + 8, end), next: padded };
}

function numbersOf({ type, data }: Element): number[] {
  const reader = READERS[type];
  if (!reader) throw new RangeError(`it holds data of type ${type}`);
  const [bytes, read] = reader;
  return Array.from({ length: Math.floor(data.length / bytes) }, (_, i) => read(data, i * bytes));
}

const textOf = (element: Element): string =>
  element.type === 16 ? element.data.toString("utf8") : String.fromCharCode(...numbersOf(element));

/** A matrix's name and value. */
function matrixOf(data: Buffer): { name: string; value: MatValue } {
  if (data.length === 0) return { name: "", value: [] };
  const flags = elementAt(data, 0);
  const kind = flags.data.readUInt32LE(0) & 0xff;
  const sizes = elementAt(data, flags.next);
  const name = elementAt(data, sizes.next);
  const count = numbersOf(sizes).reduce((product, size) => product * size, 1);
  let at = name.next;
  const next = (): Element => {
    const element = elementAt(data, at);
    at = element.next;
    return element;
  };
  const matrices = (length: number): MatValue[] =>
    Array.from({ length }, () => {
      const { type, data: inner } = next();
      if (type !== MATRIX) throw new RangeError(`it holds type ${type} where an array was expected`);
      return matrixOf(inner).value;
    });
  const value = ((): MatValue => {
    if (kind === CELL) return matrices(count);
    if (kind === STRUCT) {
      const [length] = numbersOf(next());
      const names = next().data;
      const fields = Array.from({ length: Math.floor(names.length / length) }, (_, i) =>
        names
          .subarray(i * length, (i + 1) * length)
          .toString("latin1")
          .replace(/\0.*$/s, ""),
      );
      return Array.from({ length: count }, () => {
        const values = matrices(fields.length);
        return Object.fromEntries(fields.map((field, i) => [field, values[i]]));
      });
    }
    if (kind === CHAR) return textOf(next());
    if (NUMBERS.includes(kind) || kind === 14 || kind === 15) return numbersOf(next());
    throw new RangeError(`it holds an array of class ${kind}`);
  })();
  return { name: textOf(name), value };
}

/**
 * The variables of a file, by name. Arrays come flat, columns first.
 * @throws UserError when it is truncated, of another version, or holds what this does not read
 */
export function readMat(bytes: Buffer, path: string): Map<string, MatValue> {
  if (bytes.length < HEADER || bytes.toString("latin1", 126, 128) !== "IM")
    throw new UserError(`${path}: is no MATLAB 5 file. Fetch it again.`);
  const found = new Map<string, MatValue>();
  try {
    for (let at = HEADER; at < bytes.length; ) {
      const outer = elementAt(bytes, at);
      at = outer.next;
      const { type, data } =
        outer.type === COMPRESSED
          ? elementAt(inflateSync(outer.data, { maxOutputLength: MOST_BYTES }), 0)
          : outer;
      if (type !== MATRIX) continue;
      const { name, value } = matrixOf(data);
      found.set(name, value);
    }
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as Error).message}). Fetch it again.`);
  }
  return found;
}
