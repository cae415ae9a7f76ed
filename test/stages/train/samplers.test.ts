/** Samplers: every image is used, pairs and triplets are what they say, the same seed draws the same. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import type { SampledBatch, SamplerDefinition } from "../../../stages/train/sampler.ts";
import balanced from "../../../stages/train/samplers/balanced.ts";
import category from "../../../stages/train/samplers/category.ts";
import hierarchical from "../../../stages/train/samplers/hierarchical.ts";
import randomPairs from "../../../stages/train/samplers/random-pairs.ts";
import randomTriplets from "../../../stages/train/samplers/random-triplets.ts";
import shuffled from "../../../stages/train/samplers/shuffled.ts";
import { deck } from "../../../stages/train/sampling/deck.ts";

/** Classes of 7, 12 and 9 images, mixed. */
const labels = Uint16Array.from({ length: 28 }, (_, i) => (i % 3 === 0 && i < 21 ? 0 : i % 7 < 4 ? 1 : 2));
const sizes = [0, 1, 2].map((label) => labels.filter((l) => l === label).length);

const tally = (images: Iterable<number>) => {
  const counts = new Map<number, number>();
  for (const image of images) counts.set(image, (counts.get(image) ?? 0) + 1);
  return counts;
};

const SAMPLERS: [string, SamplerDefinition, Record<string, unknown>][] = [
  ["balanced", balanced, { classes: 2, images: 4 }],
  ["random-pairs", randomPairs, { pairs: 5 }],
  ["random-triplets", randomTriplets, { triplets: 5 }],
  ["shuffled", shuffled, { images: 6 }],
];

test.each(
  SAMPLERS,
)("%s draws the same by the same seed, and something else by another", (_, sampler, params) => {
  const draw = (seed: number) => {
    const next = sampler.start(labels, params, random(seed, "sampler"));
    return Array.from({ length: 20 }, next);
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

describe("deck", () => {
  test("deals every item once a round, and none twice in a hand", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.nat(1000),
        fc.infiniteStream(fc.nat(20)),
        (n, seed, sizes) => {
          const deal = deck([...Array(n).keys()], random(seed, "deck"));
          let dealt: number[] = [];
          for (let hand = 0; hand < 30; hand++) {
            const items = deal(sizes.next().value! % (n + 1));
            expect(new Set(items).size).toBe(items.length);
            dealt.push(...items);
            // No item is ever more than one round ahead of another.
            const counts = tally(dealt);
            const all = [...Array(n).keys()].map((item) => counts.get(item) ?? 0);
            expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
          }
          dealt = [];
        },
      ),
      { numRuns: 60, seed: 11 },
    );
  });

  test("every order of a round is as likely", () => {
    const counts = tally(
      Array.from({ length: 6000 }, (_, seed) => Number(deck([1, 2, 3], random(seed, "d"))(3).join(""))),
    );
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count / 1000 - 1)).toBeLessThan(0.15);
  });
});

describe("balanced", () => {
  test("P classes with K images each, no image twice in a batch", () => {
    const next = balanced.start(labels, { classes: 2, images: 5 }, random(1, "sampler"));
    for (let batch = 0; batch < 50; batch++) {
      const { images, pairs, triplets }: SampledBatch = next();
      expect(new Set(images).size).toBe(10);
      expect([...tally([...images].map((image) => labels[image])).values()]).toEqual([5, 5]);
      expect(pairs ?? triplets).toBeUndefined();
    }
  });

  test("uses every image, the last ones of a class too, and as often as any of its class", () => {
    const next = balanced.start(labels, { classes: 3, images: 5 }, random(1, "sampler"));
    const counts = tally(Array.from({ length: 40 }, next).flatMap(({ images }) => [...images]));
    expect(counts.size).toBe(labels.length);
    for (const [label, size] of sizes.entries()) {
      const own = [...counts].flatMap(([image, count]) => (labels[image] === label ? [count] : []));
      expect(own.length).toBe(size);
      expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1);
      expect(own.reduce((a, b) => a + b)).toBe(200); // 40 batches of 5
    }
  });

  test("deals the classes alike", () => {
    const many = Uint16Array.from({ length: 70 }, (_, i) => i % 7);
    const next = balanced.start(many, { classes: 5, images: 2 }, random(3, "sampler"));
    const counts = tally(
      Array.from({ length: 35 }, next).flatMap(({ images }) => [...images].map((image) => many[image])),
    );
    expect([...counts.values()]).toEqual(Array(7).fill(50)); // 35 batches x 5 x 2 over 7 classes
  });

  test("takes what there is where a class or the set is smaller than asked", () => {
    const small = Uint16Array.of(0, 0, 1, 1, 1);
    const { images } = balanced.start(small, { classes: 10, images: 25 }, random(1, "sampler"))();
    expect([...images].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("random-pairs", () => {
  test("a first image, a partner of its class or of another", () => {
    const next = randomPairs.start(labels, { pairs: 6 }, random(1, "sampler"));
    let same = 0;
    const first: number[] = [];
    for (let batch = 0; batch < 140; batch++) {
      const { images, pairs } = next();
      expect(images.length).toBe(12);
      const { positive, negative } = pairs!;
      expect(positive.count + negative.count).toBe(6);
      for (let k = 0; k < positive.count; k++) {
        const [a, b] = [images[positive.first[k]], images[positive.second[k]]];
        expect(labels[a]).toBe(labels[b]);
        expect(a).not.toBe(b);
      }
      for (let k = 0; k < negative.count; k++)
        expect(labels[images[negative.first[k]]]).not.toBe(labels[images[negative.second[k]]]);
      same += positive.count;
      first.push(...images.slice(0, 6));
    }
    expect(Math.abs(same / (140 * 6) - 0.5)).toBeLessThan(0.06);
    expect([...tally(first).values()]).toEqual(Array(28).fill(30)); // 840 = 30 rounds, none left out
  });

  test("a fixed test set: positive and negative pairs by turns, one for each image", () => {
    const { positive, negative } = randomPairs.testSet!(labels, random(29, "test")).pairs!;
    expect([...positive.first]).toEqual([...Array(14).keys()].map((i) => 2 * i));
    expect([...negative.first]).toEqual([...Array(14).keys()].map((i) => 2 * i + 1));
    for (let k = 0; k < 14; k++) {
      expect(labels[positive.first[k]]).toBe(labels[positive.second[k]]);
      expect(positive.first[k]).not.toBe(positive.second[k]);
      expect(labels[negative.first[k]]).not.toBe(labels[negative.second[k]]);
    }
    expect(randomPairs.testSet!(labels, random(29, "test")).pairs).toEqual({ positive, negative });
  });
});

describe("random-triplets", () => {
  test("each image in turn as anchor, with a positive and a negative", () => {
    const next = randomTriplets.start(labels, { triplets: 7 }, random(1, "sampler"));
    const anchors: number[] = [];
    const negatives = new Set<string>();
    for (let batch = 0; batch < 40; batch++) {
      const { images, triplets } = next();
      expect(images.length).toBe(21);
      expect(triplets!.count).toBe(7);
      for (let t = 0; t < 7; t++) {
        const [a, p, n] = [triplets!.anchors[t], triplets!.positives[t], triplets!.negatives[t]].map(
          (row) => images[row],
        );
        expect(labels[a]).toBe(labels[p]);
        expect(a).not.toBe(p);
        expect(labels[n]).not.toBe(labels[a]);
        anchors.push(a);
        negatives.add(`${labels[a]},${n}`);
      }
    }
    expect([...tally(anchors).values()]).toEqual(Array(28).fill(10));
    expect(negatives.size).toBeGreaterThan(2 * 28 - 8); // of each class nearly every image of the other two
  });

  test("a fixed test set: one triplet for each image", () => {
    const { triplets } = randomTriplets.testSet!(labels, random(29, "test"));
    const { anchors, positives, negatives, count } = triplets!;
    expect([...anchors]).toEqual([...labels.keys()]);
    for (let t = 0; t < count; t++) {
      expect(labels[positives[t]]).toBe(labels[anchors[t]]);
      expect(positives[t]).not.toBe(anchors[t]);
      expect(labels[negatives[t]]).not.toBe(labels[anchors[t]]);
    }
    expect(randomTriplets.testSet!(labels, random(29, "test"))).toEqual({ triplets });
  });
});

test("shuffled uses every image once a round", () => {
  const next = shuffled.start(labels, { images: 10 }, random(1, "sampler"));
  const counts = tally(Array.from({ length: 14 }, next).flatMap(({ images }) => [...images]));
  expect([...counts.values()]).toEqual(Array(28).fill(5));
  expect(shuffled.start(labels, { images: 99 }, random(1, "sampler"))().images.length).toBe(28);
});

test.each(
  SAMPLERS.filter(([name]) => name !== "shuffled"),
)("%s refuses one class, and a class with one image", (_, sampler, params) => {
  const begin = (given: number[]) => () => sampler.start(Uint16Array.from(given), params, random(1, "s"));
  expect(begin([3, 3, 3])).toThrow(UserError);
  expect(begin([3, 3, 3])).toThrow("have 1 class. Learning a distance takes at least two.");
  expect(begin([0, 0, 4])).toThrow(UserError);
  expect(begin([0, 0, 4])).toThrow("class 4 has one image to draw from");
});

test("a sampler that gives pairs or triplets says so", () => {
  expect(SAMPLERS.map(([, sampler]) => sampler.gives)).toEqual([undefined, "pairs", "triplets", undefined]);
});

describe("samplers by category", () => {
  // Categories of 2, 3 and 5 classes; class c has 4 + c images.
  const categoryOf = [0, 0, 1, 1, 1, 2, 2, 2, 2, 2];
  const own = Uint16Array.from(categoryOf.flatMap((_, label) => Array<number>(4 + label).fill(label)));
  const facts = { categories: own.map((label) => categoryOf[label]) };
  const params = { categories: 2, classes: 2, images: 3, batches: 4 };
  const drawn = (sampler: SamplerDefinition, count: number, given = params) =>
    Array.from({ length: count }, sampler.start(own, given, random(1, "sampler"), facts)).map(
      ({ images }) => [...images],
    );

  test.each([
    ["category", category],
    ["hierarchical", hierarchical],
  ] as [
    string,
    SamplerDefinition,
  ][])("%s: C categories, P classes of each, K images of each, none twice", (_, sampler) => {
    for (const images of drawn(sampler, 60)) {
      expect(new Set(images).size).toBe(12);
      const classes = tally(images.map((image) => own[image]));
      expect([...classes.values()]).toEqual([3, 3, 3, 3]);
      expect([...tally([...classes.keys()].map((label) => categoryOf[label])).values()]).toEqual([2, 2]);
    }
    expect(drawn(sampler, 9)).toEqual(drawn(sampler, 9));
    // A class that is smaller than asked, and a category: as many as there are.
    const [all] = drawn(sampler, 1, { ...params, categories: 3, classes: 9, images: 99 });
    expect([...all].sort((a, b) => a - b)).toEqual([...own.keys()]);
    // Every image is used.
    expect(new Set(drawn(sampler, 200).flat()).size).toBe(own.length);
  });

  test("hierarchical: each combination of categories in so many batches of a round", () => {
    const pairs = drawn(hierarchical, 24).map((images) =>
      [...new Set(images.map((image) => facts.categories[image]))].sort().join(),
    );
    for (const round of [pairs.slice(0, 12), pairs.slice(12)])
      expect(Object.fromEntries(tally(round as never))).toEqual({ "0,1": 4, "0,2": 4, "1,2": 4 });
    expect(pairs.slice(0, 12)).not.toEqual(pairs.slice(12));
  });

  test("category: a category comes up in proportion to its classes", () => {
    const counts = tally(
      drawn(category, 4000, { ...params, categories: 1 }).map((images) => facts.categories[images[0]]),
    );
    for (const [which, share] of [0.2, 0.3, 0.5].entries())
      expect(Math.abs(counts.get(which)! / 4000 - share)).toBeLessThan(0.03);
  });

  test("refuse one category where it may have one class", () => {
    const alone = { categories: own.map((label) => (label === 4 ? 9 : categoryOf[label])) };
    for (const sampler of [category, hierarchical] as SamplerDefinition[]) {
      const start = (categories: number) =>
        sampler.start(own, { ...params, categories }, random(1, "s"), alone);
      expect(() => start(1)).toThrow(
        new UserError(
          "train: a batch takes one category, but that of class 4 has no other class to draw from, so that its batches would have nothing to tell apart. Take sampler.categories: 2 or more.",
        ),
      );
      expect(() => start(2)).not.toThrow();
    }
    expect(hierarchical.params!.batches).toMatchObject({ maximum: 100 });
  });

  test("refuse more categories than there are, and more combinations than can be listed", () => {
    for (const sampler of [category, hierarchical] as SamplerDefinition[])
      expect(() => drawn(sampler, 1, { ...params, categories: 4 })).toThrow(
        /^train: a batch takes 4 categories, but the images to draw from have 3\. Take sampler\.categories: 3 or fewer/,
      );
    const many = Uint16Array.from({ length: 120 }, (_, i) => i >> 1);
    const start = () =>
      hierarchical.start(many, { ...params, categories: 5 }, random(1, "s"), { categories: many });
    expect(start).toThrow(/there are 5,461,512 ways to take 5 of 60 categories, more than 100,000/);
  });
});
