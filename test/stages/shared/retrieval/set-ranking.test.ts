import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packSets } from "../../../../stages/shared/artifacts/label-sets.ts";
import { LabelF1 } from "../../../../stages/shared/retrieval/label-f1.ts";
import { SetRanking } from "../../../../stages/shared/retrieval/set-ranking.ts";
import { plainMetrics } from "./plain-ranking.ts";

const CLASSES = 4;
const set = fc.subarray([0, 1, 2, 3], { minLength: 1 });
const items = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), set), { minLength: 1, maxLength: 12 });

describe("SetRanking", () => {
  it("ranks as a plain sort does, with the items relevant that share a label", () => {
    fc.assert(
      fc.property(items, set, fc.integer({ min: -1, max: 11 }), (items, own, skipped) => {
        const skip = skipped < items.length ? skipped : -1;
        fc.pre(items.length > 1 || skip < 0);
        const distances = items.map(([distance]) => distance);
        const ranking = new SetRanking(
          packSets(
            items.map(([, labels]) => labels),
            CLASSES,
          ),
          items.length,
          CLASSES,
        );
        ranking.measure(Float64Array.from(distances), new Float32Array(items.length), 0);
        const relevant = Uint16Array.from(items, ([, labels]) =>
          Number(labels.some((label) => own.includes(label))),
        );
        expect(ranking.metrics(packSets([own], CLASSES), 0, [1, 3], skip)).toEqual(
          plainMetrics(Float32Array.from(distances), relevant, 1, [1, 3], skip),
        );
      }),
    );
  });

  it("votes for the labels of more than half of the nearest", () => {
    const ranking = new SetRanking(packSets([[0], [0, 1], [1, 2], [3]], CLASSES), 4, CLASSES);
    ranking.measure(Float64Array.of(1, 2, 3, 4), new Float32Array(4), 0);
    expect([...ranking.vote(3).set]).toEqual([0b11]);
    expect([...ranking.vote(2).set]).toEqual([0b01]);
    expect([...ranking.vote(2, 0).set]).toEqual([0b10]);
  });
});

describe("LabelF1", () => {
  it("is the F1 over all labels, and the mean of the labels' own", () => {
    const f1 = new LabelF1(3);
    // Label 0: 2 right, 1 wrong. Label 1: 1 missed. Label 2: none has it, one prediction is wrong.
    for (const [own, said] of [
      [[0], [0]],
      [[0, 1], [0]],
      [[1], [0, 2]],
      [[1], [1]],
    ])
      f1.add(packSets([own], 3), 0, packSets([said], 3));
    // 0: right 2, wrong 1: 4/5. 1: right 1, missed 2: 2/4. All: right 3, wrong 2, missed 2: 6/10.
    expect(f1.micro()).toBeCloseTo(0.6, 12);
    expect(f1.macro()).toBeCloseTo((0.8 + 0.5) / 2, 12);
  });
});
