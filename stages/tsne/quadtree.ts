/**
 * A quadtree over points of the plane, flat and rebuilt in place: the points are sorted along a Morton curve,
 * cells lie in depth-first order, and each knows the cell to go on with when its own children are not needed.
 * Walking it takes no stack, building it allocates nothing.
 */

/** Bits of a coordinate on the Morton curve; so many levels at most. */
const LEVELS = 16;
/** A cell with so few points is not split further: its points are visited one by one. */
const LEAF = 6;

/** Puts a zero between each two of the low 16 bits. */
function spread(bits: number): number {
  let x = bits & 0xffff;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

export class Quadtree {
  readonly points: number;
  /** Points in the order of the Morton curve. */
  readonly order: Uint32Array;
  private readonly codes: Uint32Array;
  private readonly keptOrder: Uint32Array;
  private readonly keptCodes: Uint32Array;
  private readonly counts = new Uint32Array(1 << 16);
  /** Coordinates in that order. */
  private readonly xs: Float64Array;
  private readonly ys: Float64Array;
  /** Of each cell: centre of mass, number of points, squared side, the next cell aside, first point (or -1). */
  private readonly centreX: Float64Array;
  private readonly centreY: Float64Array;
  private readonly mass: Float64Array;
  private readonly side2: Float64Array;
  private readonly skip: Int32Array;
  private readonly first: Int32Array;
  private cells = 0;
  private side = 0;

  constructor(points: number) {
    this.points = points;
    // A cell with children holds more than LEAF points, so a level has at most points/LEAF of those.
    const most = 4 * Math.ceil((LEVELS * points) / LEAF) + 5;
    this.order = new Uint32Array(points);
    this.codes = new Uint32Array(points);
    this.keptOrder = new Uint32Array(points);
    this.keptCodes = new Uint32Array(points);
    this.xs = new Float64Array(points);
    this.ys = new Float64Array(points);
    this.centreX = new Float64Array(most);
    this.centreY = new Float64Array(most);
    this.mass = new Float64Array(most);
    this.side2 = new Float64Array(most);
    this.skip = new Int32Array(most);
    this.first = new Int32Array(most);
  }

  /** Builds the tree anew. @param positions `[points, 2]` */
  build(positions: Float64Array): void {
    let [lowX, lowY, highX, highY] = [positions[0], positions[1], positions[0], positions[1]];
    for (let i = 1; i < this.points; i++) {
      const x = positions[2 * i];
      const y = positions[2 * i + 1];
      if (x < lowX) lowX = x;
      if (x > highX) highX = x;
      if (y < lowY) lowY = y;
      if (y > highY) highY = y;
    }
    this.side = Math.max(highX - lowX, highY - lowY, Number.MIN_VALUE);
    const scale = 65_535 / this.side;
    for (let i = 0; i < this.points; i++) {
      const column = spread((positions[2 * i] - lowX) * scale);
      const row = spread((positions[2 * i + 1] - lowY) * scale);
      this.codes[i] = column | (row << 1);
      this.order[i] = i;
    }
    this.sort(0, this.order, this.codes, this.keptOrder, this.keptCodes);
    this.sort(16, this.keptOrder, this.keptCodes, this.order, this.codes);
    for (let at = 0; at < this.points; at++) {
      this.xs[at] = positions[2 * this.order[at]];
      this.ys[at] = positions[2 * this.order[at] + 1];
    }
    this.cells = 0;
    this.add(0, this.points, 0);
  }

  /** One pass of a radix sort by 16 bits of the codes, stable. */
  private sort(
    shift: number,
    order: Uint32Array,
    codes: Uint32Array,
    toOrder: Uint32Array,
    toCodes: Uint32Array,
  ): void {
    const counts = this.counts;
    const points = this.points;
    counts.fill(0);
    for (let i = 0; i < points; i++) counts[(codes[i] >>> shift) & 0xffff]++;
    let start = 0;
    for (let digit = 0; digit < counts.length; digit++) {
      const count = counts[digit];
      counts[digit] = start;
      start += count;
    }
    for (let i = 0; i < points; i++) {
      const to = counts[(codes[i] >>> shift) & 0xffff]++;
      toOrder[to] = order[i];
      toCodes[to] = codes[i];
    }
  }

  /** Adds the cell of the points [from, to) at a level, and those below it. */
  private add(from: number, to: number, level: number): void {
    const cell = this.cells++;
    let sumX = 0;
    let sumY = 0;
    for (let at = from; at < to; at++) {
      sumX += this.xs[at];
      sumY += this.ys[at];
    }
    this.mass[cell] = to - from;
    this.centreX[cell] = sumX / (to - from);
    this.centreY[cell] = sumY / (to - from);
    this.side2[cell] = (this.side / (1 << level)) ** 2;
    if (to - from <= LEAF || level === LEVELS) {
      this.first[cell] = from;
    } else {
      this.first[cell] = -1;
      const shift = 2 * (LEVELS - 1 - level);
      for (let start = from; start < to; ) {
        const quarter = (this.codes[start] >>> shift) & 3;
        let end = start + 1;
        while (end < to && ((this.codes[end] >>> shift) & 3) === quarter) end++;
        this.add(start, end, level + 1);
        start = end;
      }
    }
    this.skip[cell] = this.cells;
  }

  /**
   * The repulsion of t-SNE (van der Maaten 2014, eq. 8): for each point i, the sum over the others j of
   * (1 + d²)^-2 (y_i - y_j), where a far cell stands for its points.
   * @param theta in [0, 0.7]: a cell is far when side / distance < theta (beyond 1 / sqrt 2 it could be far from
   *   its own point); 0: every pair
   * @param forces `[points, 2]`, overwritten
   * @returns the sum over all pairs of 1 / (1 + d²)
   */
  repulsion(theta: number, forces: Float64Array): number {
    const { order, xs, ys, centreX, centreY, mass, side2, skip, first, cells } = this;
    const theta2 = theta * theta;
    let total = 0;
    for (let own = 0; own < this.points; own++) {
      const x = xs[own];
      const y = ys[own];
      let forceX = 0;
      let forceY = 0;
      let sum = 0;
      for (let cell = 0; cell < cells; ) {
        const dx = x - centreX[cell];
        const dy = y - centreY[cell];
        const d2 = dx * dx + dy * dy;
        if (side2[cell] < theta2 * d2) {
          const q = 1 / (1 + d2);
          const weight = mass[cell] * q;
          sum += weight;
          forceX += weight * q * dx;
          forceY += weight * q * dy;
          cell = skip[cell];
        } else if (first[cell] < 0) {
          cell++;
        } else {
          const end = first[cell] + mass[cell];
          for (let other = first[cell]; other < end; other++) {
            if (other === own) continue;
            const ex = x - xs[other];
            const ey = y - ys[other];
            const q = 1 / (1 + ex * ex + ey * ey);
            sum += q;
            forceX += q * q * ex;
            forceY += q * q * ey;
          }
          cell++;
        }
      }
      forces[2 * order[own]] = forceX;
      forces[2 * order[own] + 1] = forceY;
      total += sum;
    }
    return total;
  }
}
