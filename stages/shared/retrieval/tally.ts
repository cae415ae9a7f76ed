/**
 * The metrics of a ranking, summed over its groups of equal distances. Items at one distance have no order: every
 * metric is the expectation over all their orders (McSherry & Najork 2008), so no number depends on the order of a file.
 */
import { sumOverPlaces } from "./harmonic.ts";
import type { MoreTally } from "./more.ts";

/**
 * Metrics of one query, by the names that their means have in the artifact `metrics`. All in [0, 1].
 */
export interface QueryMetrics {
  /** Average precision over the whole ranking, whose mean over queries is mAP; 0 when nothing is relevant. */
  map: number;
  /** Precision at R, the number of relevant items. */
  r_precision: number;
  /** Average precision over the first R (Musgrave, Belongie & Lim 2020). */
  map_at_r: number;
  /** Share of the first k that is relevant, for each k. */
  precisionAt: number[];
  /** 1 when any of the first k is relevant (recall@k of metric learning, Jégou 2011), for each k. */
  recallAt: number[];
  /** Those that were asked for beside these, by name. */
  more?: Record<string, number>;
}

/** The chance that none of `drawn` items out of `total`, `relevant` of them relevant, is relevant. */
function chanceOfNone(total: number, relevant: number, drawn: number): number {
  let chance = 1;
  for (let i = 0; i < drawn; i++) chance *= Math.max(0, total - relevant - i) / (total - i);
  return chance;
}

/** Adds up the metrics of one query, group of equal distances by group. */
export class Tally {
  private readonly total: number;
  private readonly at: number[];
  private readonly furthest: number;
  private readonly precisionAt: number[];
  private readonly recallAt: number[];
  private rPrecision = 0;
  private readonly more?: MoreTally;
  private sum = 0;
  private sumToR = 0;
  private seen = 0;

  /** @param total how many items are relevant; @param more adds up other metrics of the same ranking */
  constructor(total: number, at: number[], more?: MoreTally) {
    this.total = total;
    this.more = more;
    this.at = at;
    this.furthest = Math.max(0, ...at);
    this.precisionAt = at.map(() => 0);
    this.recallAt = at.map(() => 0);
  }

  /**
   * The next group that has relevant items. For t items at one distance, r of them relevant, behind n items with
   * s relevant ones, the expected precision at the group's k-th place, counted where it is relevant, is
   * (r/t) (s + 1 + (k-1)(r-1)/(t-1)) / (n+k).
   * @param before n; @param ties t; @param hits r, at least 1
   */
  add(before: number, ties: number, hits: number): void {
    const { at, total, seen } = this;
    this.more?.add({ before, ties, hits, seen });
    for (let index = 0; before < this.furthest && index < at.length; index++) {
      if (at[index] <= before) continue;
      const inside = Math.min(at[index] - before, ties);
      this.precisionAt[index] += (hits * inside) / ties;
      if (this.recallAt[index] < 1)
        this.recallAt[index] = seen > 0 ? 1 : 1 - chanceOfNone(ties, hits, inside);
    }
    if (ties === 1) {
      // The general form below gives the same number; nearly every group is one item.
      const precision = (seen + 1) / (before + 1);
      this.sum += precision;
      if (before < total) {
        this.sumToR += precision;
        this.rPrecision++;
      }
      this.seen++;
      return;
    }
    const share = hits / ties;
    const slope = ties > 1 ? (hits - 1) / (ties - 1) : 0;
    const whole = share * sumOverPlaces(seen + 1, slope, before, ties);
    this.sum += whole;
    const inside = Math.min(ties, total - before);
    if (inside > 0) {
      this.sumToR += inside === ties ? whole : share * sumOverPlaces(seen + 1, slope, before, inside);
      this.rPrecision += share * inside;
    }
    this.seen += hits;
  }

  /** @param items of the whole ranking */
  metrics(items: number): QueryMetrics {
    const { total, at, more } = this;
    return {
      map: total ? this.sum / total : 0,
      r_precision: total ? this.rPrecision / total : 0,
      map_at_r: total ? this.sumToR / total : 0,
      precisionAt: this.precisionAt.map((count, index) => count / Math.min(at[index], items)),
      recallAt: this.recallAt,
      ...(more && { more: more.values(items) }),
    };
  }
}
