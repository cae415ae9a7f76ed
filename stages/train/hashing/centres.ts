/** Codes for classes, far apart from each other (Yuan et al. 2020, section 3.2: hash centres). */
import type { Random } from "../../shared/compute/random.ts";
import { checkRoom } from "./targets.ts";

/** Codes that are drawn for each centre, of which the farthest from the others is taken. */
const CANDIDATES = 200;

/**
 * Where there is a Hadamard matrix of this size that has enough rows, up to their sign, its rows: any two differ
 * in half of the bits, or in all. Else codes of fair coins, each the farthest of some from those before it.
 * @returns `[classes, bits]`, -1 or 1
 * @throws UserError when there are more classes than codes
 */
export function hashCentres(classes: number, bits: number, random: Random): Int8Array {
  checkRoom(classes, bits);
  const rows = classes <= 2 * bits ? hadamard(bits) : undefined;
  return rows ? fromRows(rows, classes, bits, random) : drawn(classes, bits, random);
}

/**
 * Rows in a drawn order, every second one negated: the rows of Sylvester's matrix all begin with 1, and a bit that
 * is the same for all classes tells nothing.
 */
function fromRows(rows: Int8Array, classes: number, bits: number, random: Random): Int8Array {
  const order = random.shuffle(Array.from({ length: bits }, (_, row) => row));
  return Int8Array.from({ length: classes * bits }, (_, at) => {
    const centre = Math.floor(at / bits);
    const place = centre % bits;
    const sign = (place + Math.floor(centre / bits)) % 2 === 0 ? 1 : -1;
    return sign * rows[order[place] * bits + (at % bits)];
  });
}

function drawn(classes: number, bits: number, random: Random): Int8Array {
  const centres = new Int8Array(classes * bits);
  const candidate = new Int8Array(bits);
  for (let centre = 0; centre < classes; centre++) {
    let farthest = -1;
    for (let trial = 0; trial < CANDIDATES; trial++) {
      for (let bit = 0; bit < bits; bit++) candidate[bit] = random.int(2) * 2 - 1;
      let nearest = bits;
      for (let other = 0; other < centre; other++) {
        let distance = 0;
        for (let bit = 0; bit < bits; bit++)
          distance += Number(candidate[bit] !== centres[other * bits + bit]);
        nearest = Math.min(nearest, distance);
      }
      if (nearest <= farthest) continue;
      farthest = nearest;
      centres.set(candidate, centre * bits);
    }
  }
  return centres;
}

/**
 * A Hadamard matrix `[size, size]`: Sylvester's where the size is a power of two, Paley's first where it is one more
 * than a prime of the form 4k + 3 (12, 20, 24, 48, …); undefined for other sizes.
 */
export function hadamard(size: number): Int8Array | undefined {
  if (Number.isInteger(Math.log2(size)))
    return Int8Array.from({ length: size * size }, (_, at) => sylvester(Math.floor(at / size), at % size));
  const prime = size - 1;
  if (prime % 4 !== 3 || !isPrime(prime)) return undefined;
  const squares = new Set(Array.from({ length: prime - 1 }, (_, k) => (k + 1) ** 2 % prime));
  return Int8Array.from({ length: size * size }, (_, at) => {
    const [row, column] = [Math.floor(at / size), at % size];
    if (row === column || row === 0) return 1;
    if (column === 0) return -1;
    return squares.has((row - column + prime) % prime) ? 1 : -1;
  });
}

/** 1 where the two have an even number of set bits in common, else -1. */
function sylvester(row: number, column: number): number {
  let sign = 1;
  for (let common = row & column; common > 0; common &= common - 1) sign = -sign;
  return sign;
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return value > 1;
}
