/** The first of many: a heap whose root is the last of those kept. */

/** Keeps the `size` rows that come first: by a value, by a second one where these are equal, and by the row. */
export class Best {
  readonly rows: number[] = [];
  private readonly size: number;
  private readonly values: number[] = [];
  private readonly seconds: number[] = [];

  constructor(size: number) {
    this.size = size;
  }

  offer(row: number, value: number, second: number): void {
    const { rows, values, seconds, size } = this;
    if (rows.length < size) {
      rows.push(row);
      values.push(value);
      seconds.push(second);
      this.rise(rows.length - 1);
    } else if (value < values[0] || (value === values[0] && this.isBefore(second, row, 0))) {
      rows[0] = row;
      values[0] = value;
      seconds[0] = second;
      this.sink();
    }
  }

  /** Whether a row comes before the one at a place, which has the same value. */
  private isBefore(second: number, row: number, place: number): boolean {
    const { rows, seconds } = this;
    return second < seconds[place] || (second === seconds[place] && row < rows[place]);
  }

  /** Whether the row at place a comes after that at b. */
  private isAfter(a: number, b: number): boolean {
    const { rows, values, seconds } = this;
    return values[a] > values[b] || (values[a] === values[b] && this.isBefore(seconds[b], rows[b], a));
  }

  private swap(a: number, b: number): void {
    for (const list of [this.rows, this.values, this.seconds]) [list[a], list[b]] = [list[b], list[a]];
  }

  private rise(at: number): void {
    for (let above = (at - 1) >> 1; at > 0 && this.isAfter(at, above); above = (at - 1) >> 1) {
      this.swap(at, above);
      at = above;
    }
  }

  private sink(): void {
    for (let at = 0, next = 1; next < this.rows.length; next = 2 * at + 1) {
      if (next + 1 < this.rows.length && this.isAfter(next + 1, next)) next++;
      if (!this.isAfter(next, at)) return;
      this.swap(at, next);
      at = next;
    }
  }
}
