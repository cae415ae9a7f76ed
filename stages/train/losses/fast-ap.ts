/**
 * FastAP: average precision of each image as a query, by histograms of distances.
 *
 * Each distance counts in the two nearest bins, by its nearness. The loss is the mean over the anchors that have a
 * positive.
 *
 * @equation
 * unit sphere; h_p, h: histograms of |a-j|² over the positives, over all others; H_p, H their sums up to a bin
 * mean over anchors of  1 - 1/positives · Σ over bins  h_p H_p / H
 * @when The metric to raise is mAP and batches are large: it ranks whole lists and needs no margin.
 * @source Cakir, He, Xia, Kulis & Sclaroff 2019, "Deep metric learning to rank"
 */
import { batchLoss } from "../kinds/batches.ts";
import type { Batch, Scored } from "../scoring/batch.ts";
import { mean } from "../scoring/tuples.ts";

/** The largest squared distance on the unit sphere. */
const LARGEST = 4;

export default batchLoss({
  normalise: true,
  params: {
    bins: { type: "integer", minimum: 2, default: 10, description: "of the histograms, over [0, 4]" },
  },
  score,
});

function score({ anchors, size, squared, members, similar }: Batch, { bins }: { bins: number }): Scored {
  const gradient = new Float32Array(anchors * size);
  const width = LARGEST / bins;
  const own = new Float64Array(bins + 1);
  const every = new Float64Array(bins + 1);
  const slopesOwn = new Float64Array(bins + 1);
  const slopesEvery = new Float64Array(bins + 1);
  let loss = 0;
  let count = 0;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const positives = members[anchor].length - 1;
    if (positives === 0) continue;
    count++;
    const row = anchor * size;
    own.fill(0);
    every.fill(0);
    for (let j = 0; j < size; j++) {
      if (j === anchor) continue;
      const place = Math.min(squared[row + j], LARGEST) / width;
      const bin = Math.min(Math.floor(place), bins - 1);
      const above = place - bin;
      for (const [at, share] of [
        [bin, 1 - above],
        [bin + 1, above],
      ]) {
        every[at] += share;
        if (similar(anchor, j)) own[at] += share;
      }
    }
    loss += 1 - precision(own, every, positives, slopesOwn, slopesEvery);
    for (let j = 0; j < size; j++) {
      if (j === anchor || squared[row + j] >= LARGEST) continue;
      const bin = Math.min(Math.floor(squared[row + j] / width), bins - 1);
      const same = similar(anchor, j);
      const rise = slopesEvery[bin + 1] - slopesEvery[bin] + (same ? slopesOwn[bin + 1] - slopesOwn[bin] : 0);
      gradient[row + j] = -rise / width;
    }
  }
  return mean(gradient, loss, count, count);
}

/** The average precision, and its slopes with respect to the two histograms. */
function precision(
  own: Float64Array,
  every: Float64Array,
  positives: number,
  slopesOwn: Float64Array,
  slopesEvery: Float64Array,
): number {
  let [sumOwn, sum, found] = [0, 0, 0];
  for (let bin = 0; bin < own.length; bin++) {
    sumOwn += own[bin];
    sum += every[bin];
    const ratio = sum > 0 ? sumOwn / sum : 0;
    found += own[bin] * ratio;
    slopesOwn[bin] = ratio;
    // Of this bin's own term; the terms of higher bins are added from above.
    slopesEvery[bin] = sum > 0 ? (-own[bin] * ratio) / sum : 0;
  }
  let [reachOwn, reach, total] = [0, 0, sum];
  for (let bin = own.length - 1; bin >= 0; bin--) {
    reachOwn += total > 0 ? own[bin] / total : 0;
    reach += slopesEvery[bin];
    slopesOwn[bin] = (slopesOwn[bin] + reachOwn) / positives;
    slopesEvery[bin] = reach / positives;
    total -= every[bin];
  }
  return found / positives;
}
