/**
 * Distances of queries to a database, some queries at a time, in WebAssembly where it has vectors. Every product is a sum
 * along the vector, term after term in float32: the same bits on every machine, and those of tfjs's product.
 */
import { PAGE } from "../shared/compute/assembler.ts";
import { COLUMNS, ROWS, type Tiles, tilesIn } from "../shared/compute/product.ts";
import { Nearest } from "../shared/retrieval/nearest.ts";
import { type Conversion, conversionIn, GROUP, LANES } from "./kernel.ts";

/** Queries of a block: their distances stay in a core's second cache, or close to it. */
export const BLOCK = 8 * ROWS;
const WORD = 4;
const LONG = 8;
const LINE = 64;

export interface Database {
  /** `[rows, dim]` */
  values: Float32Array;
  dim: number;
  /** `[items]`: squared lengths of the rows. */
  lengths: Float64Array;
  /** `[items]`: the row of each item. */
  order: Uint32Array;
}

const up = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Where the arrays are, in bytes. */
function layoutOf(items: number, dim: number) {
  const width = up(items, GROUP);
  // An odd number of cache lines from row to row: else all rows compete for the same few places of the cache.
  const stride = WORD * width + (((WORD * width) / LINE) % 2 ? 0 : LINE);
  const out = 0;
  const columns = out + stride * BLOCK;
  const lengths = columns + WORD * width * dim;
  const lows = lengths + LONG * width;
  const rows = lows + WORD * LANES * (width / GROUP);
  return { width, stride, out, columns, lengths, lows, rows, bytes: rows + WORD * BLOCK * dim };
}

/** The two implementations; both give the same bits. */
export type Engine = "wasm-simd" | "plain";

/** Squared Euclidean distances, each less the query's own squared length, which is the same for a whole ranking. */
export class Distances {
  private readonly database: Database;
  private readonly layout: ReturnType<typeof layoutOf>;
  private readonly buffer: ArrayBuffer;
  private readonly lengths: Float64Array;
  private readonly rows: Float32Array;
  private readonly lows: Float32Array;
  private readonly kernels?: { tiles: Tiles; convert: Conversion };
  private readonly found = new Nearest();

  /** @param engine to choose one */
  constructor(database: Database, engine: Engine = "wasm-simd") {
    const { values, dim, order } = database;
    const layout = layoutOf(order.length, dim);
    const memory =
      engine === "plain" ? undefined : new WebAssembly.Memory({ initial: Math.ceil(layout.bytes / PAGE) });
    const [tiles, convert] = memory ? [tilesIn(memory), conversionIn(memory)] : [];
    if (tiles && convert) this.kernels = { tiles, convert };
    const buffer = memory?.buffer ?? new ArrayBuffer(layout.bytes);
    this.database = database;
    this.layout = layout;
    this.buffer = buffer;
    this.rows = new Float32Array(buffer, layout.rows, BLOCK * dim);
    this.lows = new Float32Array(buffer, layout.lows, (LANES * layout.width) / GROUP);
    // Behind the last item everything is infinitely far.
    this.lengths = new Float64Array(buffer, layout.lengths, layout.width).fill(Number.POSITIVE_INFINITY);
    const columns = new Float32Array(buffer, layout.columns, layout.width * dim);
    for (const [item, row] of order.entries()) {
      this.lengths[item] = database.lengths[row];
      const lane = item % COLUMNS;
      for (let d = 0, to = (item - lane) * dim + lane; d < dim; d++, to += COLUMNS)
        columns[to] = values[row * dim + d];
    }
  }

  /**
   * Multiplies the database with queries, for {@link measure}.
   * @param queries `[queries, dim]`, and @param first and @param count of these, at most {@link BLOCK}
   */
  take(queries: Float32Array, first: number, count: number): void {
    const { rows, layout, kernels } = this;
    const { dim } = this.database;
    if (!kernels) {
      this.takePlainly(queries, first, count);
      return;
    }
    for (let i = 0; i < BLOCK; i++) {
      // Beyond the last query it is taken once more: a tile has all its rows.
      const from = (first + Math.min(i, count - 1)) * dim;
      const lane = i % ROWS;
      for (let d = 0, to = (i - lane) * dim + lane; d < dim; d++, to += ROWS) rows[to] = queries[from + d];
    }
    const tiles = Math.ceil(count / ROWS);
    for (let column = 0; column < layout.width; column += COLUMNS)
      kernels.tiles(
        ...[layout.rows, layout.columns + WORD * column * dim, layout.out + WORD * column],
        ...[dim, tiles, layout.stride, 1],
      );
  }

  private takePlainly(queries: Float32Array, first: number, count: number): void {
    const { values, dim, order } = this.database;
    for (let i = 0; i < count; i++) {
      const products = this.row(i);
      for (const [item, row] of order.entries()) {
        let sum = 0;
        for (let d = 0; d < dim; d++)
          sum = Math.fround(sum + Math.fround(queries[(first + i) * dim + d] * values[row * dim + d]));
        products[item] = sum;
      }
    }
  }

  private row(i: number): Float32Array {
    return new Float32Array(this.buffer, this.layout.out + this.layout.stride * i, this.layout.width);
  }

  /**
   * The distances of the i-th query taken, once.
   * @returns `[items]`, valid until the next queries are taken
   */
  measure(i: number): Float32Array {
    const { lengths, lows, kernels, layout, database } = this;
    const row = this.row(i);
    if (kernels) kernels.convert(row.byteOffset, layout.lengths, layout.lows, layout.width / GROUP);
    else {
      lows.fill(Number.POSITIVE_INFINITY);
      for (let item = 0; item < row.length; item++) {
        const distance = Math.fround(lengths[item] - 2 * row[item]);
        row[item] = distance;
        const low = Math.floor(item / GROUP) * LANES + (item % LANES);
        if (distance < lows[low]) lows[low] = distance;
      }
    }
    return row.subarray(0, database.order.length);
  }

  /**
   * The rows of the k items nearest to the query that was measured last, nearest first; of equal distances the smaller row.
   * @param distances as {@link measure} gave them
   * @param skip a row that is left out: the query itself
   * @returns `[min(k, items)]`, valid until the next call
   */
  nearest(distances: Float32Array, k: number, skip = -1): Uint32Array {
    const { found, lows, database } = this;
    const { order } = database;
    found.begin(k);
    for (let low = 0; low < lows.length; low++) {
      if (lows[low] > found.limit) continue;
      const lane = low % LANES;
      const begin = ((low - lane) / LANES) * GROUP;
      const end = Math.min(begin + GROUP, order.length);
      for (let item = begin + lane; item < end; item += LANES)
        if (distances[item] <= found.limit && order[item] !== skip) found.offer(order[item], distances[item]);
    }
    return found.items();
  }
}
