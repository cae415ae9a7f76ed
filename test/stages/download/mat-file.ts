/** Writes small MATLAB 5 files, as `cars_annos.mat` is one. */
import { deflateSync } from "node:zlib";

const element = (type: number, data: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
};
/** An element of at most 4 bytes, in the packed form. */
const small = (type: number, data: Buffer): Buffer => {
  const packed = Buffer.alloc(8);
  packed.writeUInt32LE((data.length << 16) | type, 0);
  data.copy(packed, 4);
  return packed;
};
const int32 = (values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);

function matrix(kind: number, sizes: number[], name: string, content: Buffer[]): Buffer {
  const flags = Buffer.alloc(8);
  flags.writeUInt32LE(kind, 0);
  const named = Buffer.from(name);
  return element(
    14,
    Buffer.concat([
      element(6, flags),
      element(5, int32(sizes)),
      named.length > 0 && named.length <= 4 ? small(1, named) : element(1, named),
      ...content,
    ]),
  );
}

export const text = (value: string, name = ""): Buffer =>
  matrix(4, [1, value.length], name, [element(4, Buffer.from(value, "utf16le"))]);
/** A number in its shortest form, as MATLAB writes it. */
export const number = (value: number, name = ""): Buffer => {
  const data = Buffer.alloc(2);
  data.writeUInt16LE(value);
  return matrix(6, [1, 1], name, [small(4, data)]);
};
export const cell = (values: Buffer[], name = ""): Buffer => matrix(1, [1, values.length], name, values);
export const structs = (rows: Record<string, Buffer>[], name = ""): Buffer => {
  const fields = Object.keys(rows[0]);
  const names = Buffer.alloc(32 * fields.length);
  for (const [i, field] of fields.entries()) names.write(field, 32 * i);
  return matrix(2, [1, rows.length], name, [
    small(5, int32([32])),
    element(1, names),
    ...rows.flatMap((row) => fields.map((field) => row[field])),
  ]);
};
const compressed = (inner: Buffer): Buffer => {
  const packed = deflateSync(inner);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(15, 0);
  head.writeUInt32LE(packed.length, 4);
  return Buffer.concat([head, packed]);
};

/** A file of these variables, compressed as MATLAB writes them or not. */
export function matFile(variables: Buffer[], { compress = true } = {}): Buffer {
  const head = Buffer.alloc(128, " ");
  head.writeUInt16LE(0x0100, 124);
  head.write("IM", 126, "latin1");
  return Buffer.concat([head, ...variables.map((one) => (compress ? compressed(one) : one))]);
}
