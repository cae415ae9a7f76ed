/** Losses, gradients and selections against the public siamese-triplet definitions (PyTorch, float64). */
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../stages/shared/compute/backend.ts";
import contrastive from "../../stages/train/losses/contrastive.ts";
import facenet from "../../stages/train/losses/facenet.ts";
import type { Pairs } from "../../stages/train/scoring/batch.ts";
import all from "../../stages/train/selectors/all.ts";
import allPositive from "../../stages/train/selectors/all-positive.ts";
import hardNegative from "../../stages/train/selectors/hard-negative.ts";
import hardestNegative from "../../stages/train/selectors/hardest-negative.ts";
import randomNegative from "../../stages/train/selectors/random-negative.ts";
import semihardNegative from "../../stages/train/selectors/semihard-negative.ts";
import {
  batchFrom,
  lossOf,
  relativeError,
  select,
  selectPairs,
  tripletSet,
} from "../stages/train/helpers.ts";
import reference from "./selectors-and-losses.json" with { type: "json" };

beforeAll(async () => {
  await startBackend("wasm");
});

const pairSet = ({ first, second, count }: Pairs) =>
  Array.from({ length: count }, (_, i) => `${first[i]},${second[i]}`).sort();

describe.each(reference.cases.map((values, index) => ({ index, ...values })))("case $index", (values) => {
  const { embeddings, labels, margin } = values;
  const batch = batchFrom(embeddings, labels);
  const params = { margin };
  const within = (found: number, expected: number) =>
    expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-5 * Math.abs(expected));

  test("triplet loss over every triplet: value, gradient, count", () => {
    const expected = values.online_triplet.all;
    const { loss, gradient, run } = lossOf(facenet, embeddings, labels, { params, selector: all });
    within(loss, expected.loss);
    expect(relativeError(gradient, expected.gradient)).toBeLessThan(1e-5);
    expect(run.counters.selected).toBe(expected.triplets);
  });

  test("triplet loss over the hardest negatives: value, gradient, triplets", () => {
    const expected = values.online_triplet.hardest;
    const { loss, gradient, run } = lossOf(facenet, embeddings, labels, {
      params,
      selector: hardestNegative,
    });
    within(loss, expected.loss);
    expect(relativeError(gradient, expected.gradient)).toBeLessThan(1e-5);
    expect(run.counters.selected).toBe(expected.triplets);
    const triplets = select(hardestNegative, batch, margin);
    expect(tripletSet(triplets)).toEqual(expected.selected.map((triplet) => triplet.join()).sort());
  });

  test.each([
    ["random", randomNegative],
    ["semihard", semihardNegative],
  ] as const)("every %s candidate is drawn sometime, and nothing else", (name, selector) => {
    const drawn = new Map<string, Set<number>>();
    for (let seed = 0; seed < 400; seed++) {
      const { anchors, positives, negatives, count } = select(selector, batch, margin, {}, seed);
      for (let t = 0; t < count; t++) {
        const pair = `${anchors[t]},${positives[t]}`;
        if (!drawn.has(pair)) drawn.set(pair, new Set());
        drawn.get(pair)!.add(negatives[t]);
      }
    }
    for (const candidates of values.negative_candidates) {
      const found = drawn.get(`${candidates.anchor},${candidates.positive}`) ?? new Set();
      expect([...found].sort((a, b) => a - b)).toEqual([...candidates[name]].sort((a, b) => a - b));
    }
    expect(batch.positives.count).toBe(values.negative_candidates.length);
  });

  // siamese-triplet's online contrastive loss lacks the factor 1/2 that its offline one, and Hadsell's, has.
  test("contrastive loss over every pair: value and gradient", () => {
    const expected = values.online_contrastive.all_positive_unbalanced;
    const { loss, gradient } = lossOf(contrastive, embeddings, labels, {
      params,
      selector: allPositive,
      selectorParams: { balanced: false },
    });
    within(2 * loss, expected.loss);
    const doubled = gradient.map((row) => row.map((x) => 2 * x));
    expect(relativeError(doubled, expected.gradient)).toBeLessThan(1e-5);
  });

  test("contrastive loss over the hardest negative pairs: value, gradient, pairs", () => {
    const expected = values.online_contrastive.hard_negative;
    const { loss, gradient } = lossOf(contrastive, embeddings, labels, { params, selector: hardNegative });
    within(2 * loss, expected.loss);
    const doubled = gradient.map((row) => row.map((x) => 2 * x));
    expect(relativeError(doubled, expected.gradient)).toBeLessThan(1e-5);
    const { negative } = selectPairs(hardNegative, batch);
    expect(pairSet(negative)).toEqual(expected.negative_pairs.map((pair) => pair.join()).sort());
  });

  test("triplet loss over given triplets", () => {
    const { anchor_rows, positive_rows, negative_rows, loss: expected } = values.triplet_loss;
    const triplets = {
      anchors: range(anchor_rows),
      positives: range(positive_rows),
      negatives: range(negative_rows),
      count: anchor_rows[1] - anchor_rows[0],
    };
    const { loss } = lossOf(facenet, embeddings, labels, { params, given: { triplets } });
    within(loss, expected);
  });

  test("contrastive loss over given pairs", () => {
    const { left_rows, right_rows, target, loss: expected } = values.contrastive_loss;
    const chosen = (same: number): Pairs => {
      const rows = target.flatMap((t, i) => (t === same ? [i] : []));
      return {
        first: Int32Array.from(rows, (i) => left_rows[0] + i),
        second: Int32Array.from(rows, (i) => right_rows[0] + i),
        count: rows.length,
      };
    };
    const pairs = { positive: chosen(1), negative: chosen(0) };
    const { loss } = lossOf(contrastive, embeddings, labels, { params, given: { pairs } });
    within(loss, expected);
  });
});

/** The rows from..to-1, as the reference file writes a slice. */
function range([from, to]: number[]): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}
