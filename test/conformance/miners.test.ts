/**
 * Selectors against the miners of pytorch-metric-learning 2.8.1, in float64 on the unit sphere (the angular miner: on the
 * embeddings as they are): sets of indices, whose order has no meaning. The library's pairs are ordered, and both images of a positive pair are anchors. Here a pair that
 * is selected whichever image comes first is listed once, as i < j; `multi-similarity-pairs` asks each anchor, and so
 * lists ordered pairs as the library does; triplets are compared with `both_ends`.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Pairs } from "../../stages/train/scoring/batch.ts";
import type { PairSelector, TripletSelector } from "../../stages/train/selector.ts";
import angular from "../../stages/train/selectors/angular-triplets.ts";
import batchEasyHard from "../../stages/train/selectors/batch-easy-hard.ts";
import batchHard from "../../stages/train/selectors/batch-hard.ts";
import easyPositive from "../../stages/train/selectors/easy-positive.ts";
import hdc from "../../stages/train/selectors/hdc.ts";
import multiSimilarity from "../../stages/train/selectors/multi-similarity-pairs.ts";
import pairMargin from "../../stages/train/selectors/pair-margin.ts";
import tripletMargin from "../../stages/train/selectors/triplet-margin.ts";
import { batchFrom, type Rows, select, selectPairs, tripletSet } from "../stages/train/helpers.ts";

interface Miner {
  params?: Record<string, number>;
  /** `[anchor, positive, negative]`, or `[anchor, positive, anchor, negative]`. */
  triplets?: number[][];
  positive_pairs?: number[][];
  negative_pairs?: number[][];
}
const { cases } = JSON.parse(readFileSync("test/conformance/metric-learning-losses.json", "utf8")) as {
  cases: { embeddings: Rows; labels: number[]; miners: Record<string, Miner> }[];
};

type Params = Record<string, unknown>;
const kind = (name: string, part: string): [string, TripletSelector, (given: Params) => Params] => [
  `triplet-margin/${name}`,
  tripletMargin,
  ({ margin }) => ({ kind: part, margin, both_ends: true }),
];
const strategies = ["easy", "hard", "semihard"].flatMap((positive) =>
  ["easy", "hard", "semihard"]
    .filter((negative) => positive !== "semihard" || negative !== positive)
    .map((negative): [string, TripletSelector, (given: Params) => Params] => [
      `batch-easy-hard/${positive}-positive/${negative}-negative`,
      batchEasyHard,
      () => ({ positive, negative }),
    ]),
);
const TRIPLETS = [
  kind("all", "loss"),
  kind("hard", "hard"),
  kind("semihard", "semihard"),
  kind("easy", "easy"),
  ["batch-hard", batchHard, () => ({})],
  ["angular", angular, ({ angle_degrees }) => ({ angle: angle_degrees, both_ends: true })],
  ...strategies,
  ["batch-easy-hard/easy-positive/semihard-negative", easyPositive, () => ({ negative: "semihard" })],
  ["batch-easy-hard/easy-positive/hard-negative", easyPositive, () => ({ negative: "hard" })],
] as [string, TripletSelector, (given: Params) => Params][];
const PAIRS: [string, PairSelector, (given: Params) => Params, "ordered" | "i < j"][] = [
  ["multi-similarity", multiSimilarity, (given) => given, "ordered"],
  [
    "pair-margin",
    pairMargin,
    ({ pos_margin, neg_margin }) => ({ near: pos_margin, far: neg_margin }),
    "i < j",
  ],
  ["hdc", hdc, ({ filter_percentage }) => ({ share: filter_percentage }), "i < j"],
];

const unit = (row: number[]) => row.map((value) => value / Math.hypot(...row));
const pairSet = ({ first, second, count }: Pairs) =>
  Array.from({ length: count }, (_, pair) => `${first[pair]},${second[pair]}`).sort();

test("every miner of the reference is compared", () => {
  const compared = new Set([...TRIPLETS, ...PAIRS].map(([name]) => name));
  expect([...compared].sort()).toEqual(Object.keys(cases[0].miners).sort());
});

describe.each(cases.map((one, index) => ({ ...one, index })))("batch $index", ({
  embeddings,
  labels,
  miners,
}) => {
  const batch = batchFrom(embeddings.map(unit), labels);
  const raw = batchFrom(embeddings, labels);

  test.each(TRIPLETS)("%s", (name, selector, params) => {
    const { params: given = {}, triplets } = miners[name];
    const expected = triplets!.map((row) => [row[0], row[1], row.at(-1)].join()).sort();
    const seen = name === "angular" ? raw : batch;
    expect(tripletSet(select(selector, seen, 0.2, params(given)))).toEqual(expected);
  });

  test.each(PAIRS)("%s", (name, selector, params, form) => {
    const { params: given = {}, ...pairs } = miners[name];
    const found = selectPairs(selector, batch, params(given));
    for (const [own, theirs] of [
      [found.positive, pairs.positive_pairs!],
      [found.negative, pairs.negative_pairs!],
    ] as const) {
      const ordered = theirs.map((pair) => pair.join());
      // hdc's cut may be between the two orders of a pair, which is half a pair here, and rounded down.
      const whole = theirs.filter(([i, j]) => i < j && ordered.includes(`${j},${i}`));
      expect(ordered.length - 2 * whole.length).toBeLessThanOrEqual(form === "i < j" ? 1 : ordered.length);
      const expected = form === "ordered" ? ordered : whole.map((pair) => pair.join());
      expect(pairSet(own)).toEqual(expected.sort());
    }
  });
});

test("a semihard positive with a semihard negative is refused", () => {
  const batch = batchFrom(cases[0].embeddings.map(unit), cases[0].labels);
  expect(() => select(batchEasyHard, batch, 0.2, { positive: "semihard", negative: "semihard" })).toThrow(
    "each is chosen by the other. Make one of them easy or hard",
  );
});
