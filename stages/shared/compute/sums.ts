/**
 * Sums over the leading axes in WebAssembly, with the bytes of tfjs's own, which moves every value of a tensor to another
 * place before it adds them.
 */
import {
  ADD,
  again,
  END,
  functionsIn,
  get,
  LOOP,
  loadVector,
  moduleOf,
  plus,
  set,
  storeVector,
  V128,
  words,
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

const MODULE = moduleOf({ a: { takes: words(4), body: add() } });

/** Adds up the columns of a matrix of at least one row; addresses are in bytes. */
export type Sums = (from: number, to: number, rows: number, columns: number) => void;

/** Sums in a memory; undefined where the engine has no vectors. */
export function sumsIn(memory: WebAssembly.Memory): Sums | undefined {
  const sixteen = functionsIn(memory, MODULE)?.a;
  if (!sixteen) return undefined;
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
