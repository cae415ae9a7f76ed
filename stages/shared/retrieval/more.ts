/**
 * Metrics of a ranking that are computed where they are asked for. As all metrics here, each is its expectation over all
 * orders of items at one distance.
 */
import { discounts } from "./discounts.ts";
import { sumOverPlaces } from "./harmonic.ts";

/** The requested metrics beside those of every ranking. */
export interface MoreMetrics {
  /** The k of mAP@k. */
  mapAt: number[];
  /** Whether the mean reciprocal rank is. */
  reciprocal: boolean;
  /** The k of nDCG@k and ACG@k: only where images may have several labels, and with WAP; [] for none of these. */
  gradedAt: number[];
}

/** How much the relevant items of a query share with it. */
export interface Gains {
  /** Of each group of equal distances that has relevant items, by distance: the labels shared with the query, added up … */
  shared: ArrayLike<number>;
  /** … and 2^shared - 1. */
  grown: ArrayLike<number>;
  /** Relevant items by the number of labels shared: the ideal order is from the last to the first. */
  grades: ArrayLike<number>;
}

/** The names of these metrics in the artifact `metrics`. */
export const moreNames = (more?: MoreMetrics): string[] => {
  const { mapAt, reciprocal, gradedAt } = more ?? { mapAt: [], reciprocal: false, gradedAt: [] };
  return [
    ...mapAt.flatMap((k) => [`map@${k}`, `map@${k}_min_r`]),
    ...(reciprocal ? ["mrr"] : []),
    ...gradedAt.flatMap((k) => [`ndcg@${k}`, `acg@${k}`]),
    ...(gradedAt.length ? ["wap"] : []),
  ];
};

/** One group of equal distances: t items behind n others, r of them relevant, behind s relevant ones. */
interface Group {
  before: number;
  ties: number;
  hits: number;
  seen: number;
}

/** The average precision over the first k, divided by the relevant items among these, and by min(R, k). */
class PrecisionTo {
  private readonly k: number;
  /** Of the precisions at relevant items so far. */
  private sum = 0;
  /** Relevant items so far. */
  private seen = 0;
  private crossed?: number;

  constructor(k: number) {
    this.k = k;
  }

  add({ before, ties, hits, seen }: Group): void {
    const inside = Math.min(ties, this.k - before);
    if (inside <= 0) return;
    if (inside < ties) this.crossed = this.byChance({ before, ties, hits, seen }, inside);
    const slope = ties > 1 ? (hits - 1) / (ties - 1) : 0;
    this.sum += (hits / ties) * sumOverPlaces(seen + 1, slope, before, inside);
    this.seen = seen + hits;
  }

  /**
   * The average precision where the first k end inside a group: the mean over j, how many of its relevant items are
   * among the m places inside. j is hypergeometric; given j, any j of the m places are as likely.
   */
  private byChance({ before, ties, hits, seen }: Group, inside: number): number {
    const flat = sumOverPlaces(1, 0, before, inside);
    const rising = sumOverPlaces(0, 1, before, inside);
    const others = ties - hits;
    const precisionOf = (j: number) => {
      if (seen + j === 0) return 0;
      const slope = inside > 1 ? (j - 1) / (inside - 1) : 0;
      return (this.sum + (j / inside) * ((seen + 1) * flat + slope * rising)) / (seen + j);
    };
    // From the likeliest j to both sides, by ratios: no factorial overflows.
    const least = Math.max(0, inside - others);
    const most = Math.min(hits, inside);
    const mode = Math.min(most, Math.max(least, Math.floor(((hits + 1) * (inside + 1)) / (ties + 2))));
    let weights = 1;
    let sum = precisionOf(mode);
    for (let j = mode, weight = 1; j < most && weight > 0; j++) {
      weight *= ((hits - j) * (inside - j)) / ((j + 1) * (others - inside + j + 1));
      weights += weight;
      sum += weight * precisionOf(j + 1);
    }
    for (let j = mode, weight = 1; j > least && weight > 0; j--) {
      weight *= (j * (others - inside + j)) / ((hits - j + 1) * (inside - j + 1));
      weights += weight;
      sum += weight * precisionOf(j - 1);
    }
    return sum / weights;
  }

  /** @param total relevant items in all */
  values(total: number): [found: number, least: number] {
    const found = this.crossed ?? (this.seen ? this.sum / this.seen : 0);
    return [found, total ? this.sum / Math.min(total, this.k) : 0];
  }
}

/** The expectation of 1 / rank of the first relevant item, which is in this group. */
function reciprocalRank({ before, ties, hits }: Group): number {
  let chance = hits / ties;
  let sum = 0;
  for (let place = 1; chance > 0; place++) {
    sum += chance / (before + place);
    chance *= Math.max(0, ties - place - hits + 1) / Math.max(1, ties - place);
  }
  return sum;
}

/** Graded relevance: the gain of an item is the number of labels it shares with the query. */
class Graded {
  private readonly at: number[];
  private readonly gains: Gains;
  private readonly discounted: number[];
  private readonly cumulated: number[];
  private weighted = 0;
  private group = 0;
  private gained = 0;

  constructor(at: number[], gains: Gains) {
    this.at = at;
    this.gains = gains;
    this.discounted = at.map(() => 0);
    this.cumulated = at.map(() => 0);
  }

  add({ before, ties, hits }: Group): void {
    const shared = this.gains.shared[this.group];
    const grown = this.gains.grown[this.group++];
    for (const [index, k] of this.at.entries()) {
      const inside = Math.min(ties, k - before);
      if (inside <= 0) continue;
      const table = discounts(before + inside);
      this.discounted[index] += (grown / ties) * (table[before + inside] - table[before]);
      this.cumulated[index] += (shared / ties) * inside;
    }
    // At the m-th place, E[relevant × (gains so far)] = (r G + g) / t + (m - 1) g (r - 1) / (t (t - 1)).
    const first = (hits * this.gained + shared) / ties;
    const slope = ties > 1 ? (shared * (hits - 1)) / (ties * (ties - 1)) : 0;
    this.weighted += sumOverPlaces(first, slope, before, ties);
    this.gained += shared;
  }

  /** The discounted gains of the ideal order, up to k. */
  private ideal(k: number): number {
    const { grades } = this.gains;
    let sum = 0;
    let before = 0;
    for (let grade = grades.length - 1; grade > 0 && before < k; grade--) {
      const inside = Math.min(grades[grade], k - before);
      const table = discounts(before + inside);
      sum += (2 ** grade - 1) * (table[before + inside] - table[before]);
      before += inside;
    }
    return sum;
  }

  values(total: number, items: number): Record<string, number> {
    const values: Record<string, number> = { wap: total ? this.weighted / total : 0 };
    for (const [index, k] of this.at.entries()) {
      const ideal = this.ideal(k);
      values[`ndcg@${k}`] = ideal > 0 ? this.discounted[index] / ideal : 0;
      values[`acg@${k}`] = this.cumulated[index] / Math.min(k, items);
    }
    return values;
  }
}

/** Adds up {@link MoreMetrics} of one query, group of equal distances by group. */
export class MoreTally {
  private readonly total: number;
  private readonly wanted: MoreMetrics;
  private readonly to: PrecisionTo[];
  private readonly graded?: Graded;
  private reciprocal = 0;

  /** @param total how many items are relevant; @param gains for metrics of graded relevance */
  constructor(total: number, wanted: MoreMetrics, gains?: Gains) {
    this.total = total;
    this.wanted = wanted;
    this.to = wanted.mapAt.map((k) => new PrecisionTo(k));
    if (gains && wanted.gradedAt.length) this.graded = new Graded(wanted.gradedAt, gains);
  }

  /** The next group that has relevant items. */
  add(group: Group): void {
    for (const to of this.to) to.add(group);
    if (this.wanted.reciprocal && group.seen === 0) this.reciprocal = reciprocalRank(group);
    this.graded?.add(group);
  }

  /** @param items of the whole ranking @returns values by {@link moreNames} */
  values(items: number): Record<string, number> {
    const { wanted, to, total, graded } = this;
    const values: Record<string, number> = {};
    for (const [index, k] of wanted.mapAt.entries())
      [values[`map@${k}`], values[`map@${k}_min_r`]] = to[index].values(total);
    if (wanted.reciprocal) values.mrr = this.reciprocal;
    return graded ? { ...values, ...graded.values(total, items) } : values;
  }
}
