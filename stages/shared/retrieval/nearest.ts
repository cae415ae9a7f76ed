/** The k nearest of items that come one after the other, in buffers that are kept. */
export class Nearest {
  private numbers = new Uint32Array(0);
  private distances = new Float32Array(0);
  private count = 0;
  private k = 0;
  /** No item at a larger distance is among the nearest. */
  limit = Number.POSITIVE_INFINITY;

  /** Forgets all items. */
  begin(k: number): void {
    if (this.numbers.length < k) {
      this.numbers = new Uint32Array(k);
      this.distances = new Float32Array(k);
    }
    this.k = k;
    this.count = 0;
    this.limit = Number.POSITIVE_INFINITY;
  }

  /**
   * Keeps an item if it is among the k nearest so far; of equal distances the item of the smaller number is nearer.
   * @returns the limit then
   */
  offer(number: number, distance: number): number {
    const { numbers, distances, count, k } = this;
    let at = count;
    for (; at > 0; at--) {
      const before = distances[at - 1];
      if (!(before > distance || (before === distance && numbers[at - 1] > number))) break;
      if (at === k) continue; // the furthest leaves
      distances[at] = before;
      numbers[at] = numbers[at - 1];
    }
    if (at === k) return this.limit;
    distances[at] = distance;
    numbers[at] = number;
    if (count < k) this.count++;
    if (this.count === k) this.limit = distances[k - 1];
    return this.limit;
  }

  /** Numbers of the items that are kept, nearest first; valid until the next call of {@link begin} or {@link offer}. */
  items(): Uint32Array {
    return this.numbers.subarray(0, this.count);
  }
}
