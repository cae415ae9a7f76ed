/**
 * Sums over the leading axes in WebAssembly, with the bytes of tfjs's own, which moves every value of a tensor to another
 * place before it adds them.
 */
import {
  ADD,
  again,
  END,
  get,
  I32,
  LOOP,
  loadVector,
  named,
  plus,
  section,
  set,
  sized,
  storeVector,
  V128,
} from "./assembler.ts";

const VECTOR = 16;
/** Columns that one pass over the rows adds up: 4 vectors. */
const COLUMNS = 16;

/** (from, to, rows, stride): the sums of 16 columns; `stride`: bytes from a row to the next. */
function add(): number[] {
  const [from, to, rows, stride] = [0, 1, 2, 3];
  const sums = [4, 5, 6, 7];
  const body = [
    ...LOOP,
    ...sums.flatMap((sum, k) => [...[...get(sum), ...loadVector(from, k * VECTOR), ...ADD, ...set(sum)]]),
    ...[...plus(from, stride), ...again(rows)],
    END,
    ...sums.flatMap((sum, k) => [...get(to), ...get(sum), ...storeVector(k * VECTOR)]),
  ];
  return [1, sums.length, V128, ...body, END];
}

/** https://webassembly.github.io/spec/core/binary/ */
const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
  ...section(1, 1, 0x60, 4, I32, I32, I32, I32, 0),
  ...section(2, 1, ...named("e"), ...named("m"), 2, 0, 0), // import of the memory
  ...section(3, 1, 0),
  ...section(7, 1, ...named("a"), 0, 0), // export
  ...section(10, 1, ...sized(add())),
]);

/** Adds up the columns of a matrix of at least one row; addresses are in bytes. */
export type Sums = (from: number, to: number, rows: number, columns: number) => void;

/** Sums in a memory; undefined where the engine has no vectors. */
export function sumsIn(memory: WebAssembly.Memory): Sums | undefined {
  if (!WebAssembly.validate(MODULE)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { e: { m: memory } });
  const sixteen = exports.a as (...given: number[]) => void;
  return (from, to, rows, columns) => {
    const whole = columns - (columns % COLUMNS);
    for (let column = 0; column < whole; column += COLUMNS)
      sixteen(from + 4 * column, to + 4 * column, rows, 4 * columns);
    const values = new Float32Array(memory.buffer);
    for (let column = whole; column < columns; column++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum = Math.fround(sum + values[from / 4 + row * columns + column]);
      values[to / 4 + column] = sum;
    }
  };
}
