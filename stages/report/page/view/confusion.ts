/** The classes that are taken for each other. */

/** A class that is taken for another. */
export interface Confused {
  from: number;
  to: number;
  share: number;
}

/** The confusions of the largest shares, the largest first. @param shares `[class][prediction]` */
export function confused(shares: number[][], most: number): Confused[] {
  return shares
    .flatMap((row, from) => row.map((share, to) => ({ from, to, share })))
    .filter(({ from, to, share }) => from !== to && share > 0)
    .sort((a, b) => b.share - a.share || a.from - b.from || a.to - b.to)
    .slice(0, most);
}
