/** Pieces of WebAssembly modules in bytes: https://webassembly.github.io/spec/core/binary/ */

/** Bytes of a page of memory. */
export const PAGE = 65_536;

/** A whole number as LEB128: 7 bits a byte, the lowest first; the high bit says that more follow. */
export const leb = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
/** The same with a sign, for constants from 0. */
export const constant = (value: number): number[] =>
  value < 64 ? [0x41, value] : [0x41, (value & 127) | 128, ...constant(value >>> 7).slice(1)];
export const get = (local: number) => [0x20, ...leb(local)];
export const set = (local: number) => [0x21, ...leb(local)];
export const tee = (local: number) => [0x22, ...leb(local)];
/** local += step */
export const advance = (local: number, step: number) => [
  ...get(local),
  ...constant(step),
  0x6a,
  ...set(local),
];
/** local -= 1, and back to the loop's begin unless it is 0 */
export const again = (local: number) => [...get(local), ...constant(1), 0x6b, ...tee(local), 0x0d, 0];

export const [I32, I64, F32, F64, V128] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b];
export const END = 0x0b;
export const LOOP = [0x03, 0x40];
export const IF = [0x04, 0x40];

/** A vector from memory; {@link storeVector} takes an address and a vector. */
export const loadVector = (address: number, offset = 0) => [...get(address), 0xfd, 0x00, 2, ...leb(offset)];
export const storeVector = (offset = 0) => [0xfd, 0x0b, 2, ...leb(offset)];
/** Of four float32. */
export const [ADD, SUBTRACT, MULTIPLY, DIVIDE] = [0xe4, 0xe5, 0xe6, 0xe7].map((code) => [0xfd, code, 1]);
/** local += other */
export const plus = (local: number, other: number) => [...get(local), ...get(other), 0x6a, ...set(local)];

const section = (id: number, ...content: number[]) => [id, ...leb(content.length), ...content];
const sized = (body: number[]) => [...leb(body.length), ...body];
const text = (letter: string) => [1, letter.charCodeAt(0)];

/** A function of a module: the types of its arguments and of its result, if it has one; its local variables and its code. */
export interface Code {
  takes: number[];
  gives?: number;
  body: number[];
}

/** So many arguments of 32 bits. */
export const words = (count: number): number[] => Array<number>(count).fill(I32);

/** A module of functions over one memory. @param functions by their names, one letter each */
export function moduleOf(functions: Record<string, Code>): Uint8Array<ArrayBuffer> {
  const codes = Object.values(functions);
  const each = (part: (code: Code, index: number) => number[]) => [codes.length, ...codes.flatMap(part)];
  const gives = ({ gives }: Code) => (gives === undefined ? [0] : [1, gives]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, ...each((code) => [0x60, code.takes.length, ...code.takes, ...gives(code)])), // types
    ...section(2, 1, ...text("e"), ...text("m"), 2, 0, 0), // import of the memory
    ...section(3, ...each((_, index) => [index])), // the type of each function
    ...section(7, ...each((_, index) => [...text(Object.keys(functions)[index]), 0, index])), // exports
    ...section(10, ...each(({ body }) => sized(body))),
  ]);
}

type Exported = Record<string, (...given: number[]) => number>;

/** The functions of a module at work on a memory; undefined where the engine has no vectors. */
export function functionsIn(
  memory: WebAssembly.Memory,
  module: Uint8Array<ArrayBuffer>,
): Exported | undefined {
  if (!WebAssembly.validate(module)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { e: { m: memory } });
  return exports as Exported;
}
