/** Codes in the forms that other programs read. */
import { bytesOf, type Codes } from "../../stages/shared/artifacts/codes.ts";

type Packed = Pick<Codes, "values" | "rows" | "bits">;

/** Arrays of NumPy begin on a multiple of this (numpy.lib.format, version 1.0). */
const NPY_ALIGNMENT = 64;
const NPY_MAGIC = Buffer.from("\u0093NUMPY\u0001\u0000", "latin1");

/** A NumPy array `[rows, bytes]` of uint8, as `np.load` reads it; `np.unpackbits(…, bitorder="little")` gives the bits. */
export function npyOf({ values, rows, bits }: Packed): Buffer[] {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${rows}, ${bytesOf(bits)}), }`;
  const before = NPY_MAGIC.length + 2;
  const length = Math.ceil((before + text.length + 1) / NPY_ALIGNMENT) * NPY_ALIGNMENT - before;
  const header = Buffer.alloc(before + length, " ");
  NPY_MAGIC.copy(header);
  header.writeUInt16LE(length, NPY_MAGIC.length);
  header.write(text, before, "latin1");
  header.write("\n", header.length - 1);
  return [header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)];
}

const FAISS_FLAT = "IBxF";
/** METRIC_L2, which faiss writes for binary indexes too. */
const FAISS_METRIC = 1;

/** An `IndexBinaryFlat`, as `faiss.read_index_binary` reads it. Its dimension is a multiple of 8: the padding bits are 0. */
export function faissOf({ values, rows, bits }: Packed): Buffer[] {
  const bytes = bytesOf(bits);
  const header = Buffer.alloc(33);
  header.write(FAISS_FLAT, 0, "latin1");
  header.writeInt32LE(8 * bytes, 4);
  header.writeInt32LE(bytes, 8);
  header.writeBigInt64LE(BigInt(rows), 12);
  header.writeUInt8(1, 20); // trained
  header.writeInt32LE(FAISS_METRIC, 21);
  header.writeBigUInt64LE(BigInt(rows * bytes), 25);
  return [header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)];
}

/** The fields of an image in a line of {@link jsonLinesOf}, besides its code. */
export interface Described {
  image: string | number;
  class: string;
}

/** JSON lines `{ row, image, class, code }`; `code` is hexadecimal, byte by byte. */
export function* jsonLinesOf(
  { values, rows, bits }: Packed,
  of: (row: number) => Described,
): Generator<string> {
  const bytes = bytesOf(bits);
  for (let row = 0; row < rows; row++) {
    const code = Buffer.from(values.buffer, values.byteOffset + row * bytes, bytes).toString("hex");
    yield `${JSON.stringify({ row, ...of(row), code })}\n`;
  }
}
