/** F1 of predicted sets of labels: kNN accuracy where images have several labels. */
import { hasLabel, setBytes } from "../artifacts/label-sets.ts";
import type { Estimate } from "../artifacts/metrics.ts";
import { random } from "../compute/random.ts";
import { percentileInterval, RESAMPLES } from "../statistics/bootstrap.ts";

/** Counts right and wrong labels, image by image. */
export class LabelF1 {
  private readonly bytes: number;
  /** `[classes]` each: labels predicted rightly, predicted wrongly, and missed. */
  readonly right: Float64Array;
  readonly wrong: Float64Array;
  readonly missed: Float64Array;

  constructor(classes: number) {
    this.bytes = setBytes(classes);
    this.right = new Float64Array(classes);
    this.wrong = new Float64Array(classes);
    this.missed = new Float64Array(classes);
  }

  /**
   * Adds one image.
   * @param sets the labels of images, and @param row of this one; @param predicted as `sets`, and @param at its row there
   * @param times how often
   */
  add(sets: Uint8Array, row: number, predicted: Uint8Array, at = 0, times = 1): void {
    const { bytes, right, wrong, missed } = this;
    for (let label = 0; label < right.length; label++) {
      const own = hasLabel(sets, row, label, bytes);
      const said = hasLabel(predicted, at, label, bytes);
      if (own && said) right[label] += times;
      else if (said) wrong[label] += times;
      else if (own) missed[label] += times;
    }
  }

  /** Over all labels of all images: 2 TP / (2 TP + FP + FN); 0 without any. */
  micro(): number {
    const [right, wrong, missed] = [this.right, this.wrong, this.missed].map((counts) =>
      counts.reduce((sum, count) => sum + count, 0),
    );
    return f1(right, wrong, missed);
  }

  /** Of one label. */
  of(label: number): number {
    return f1(this.right[label], this.wrong[label], this.missed[label]);
  }

  /** The mean over the labels that an image has. */
  macro(): number {
    const { right, missed } = this;
    let sum = 0;
    let labels = 0;
    for (let label = 0; label < right.length; label++) {
      if (right[label] + missed[label] === 0) continue;
      sum += this.of(label);
      labels++;
    }
    return labels ? sum / labels : 0;
  }
}

const f1 = (right: number, wrong: number, missed: number): number => {
  const all = 2 * right + wrong + missed;
  return all ? (2 * right) / all : 0;
};

/**
 * The F1 of the votes of one k.
 * @param votes `[images, ks, bytes]`; @param index of the k; @param sets `[images, bytes]`
 */
export function f1Of(
  votes: Uint8Array,
  ks: number,
  index: number,
  sets: Uint8Array,
  images: number,
  classes: number,
): LabelF1 {
  const counts = new LabelF1(classes);
  for (let image = 0; image < images; image++) counts.add(sets, image, votes, image * ks + index);
  return counts;
}

/**
 * F1 with percentile bootstrap intervals over images, and that of each label.
 * @param votes and @param sets `[images, bytes]`
 */
export function f1Estimates(
  votes: Uint8Array,
  sets: Uint8Array,
  images: number,
  classes: number,
  seed: number,
): { metrics: Record<"f1_micro" | "f1_macro", Estimate>; ofLabels: number[] } {
  const whole = f1Of(votes, 1, 0, sets, images, classes);
  const draw = random(seed, "bootstrap of F1");
  const micro = new Float64Array(RESAMPLES);
  const macro = new Float64Array(RESAMPLES);
  const times = new Uint16Array(images);
  for (let round = 0; round < RESAMPLES; round++) {
    times.fill(0);
    for (let i = 0; i < images; i++) times[draw.int(images)]++;
    const drawn = new LabelF1(classes);
    for (let image = 0; image < images; image++)
      if (times[image]) drawn.add(sets, image, votes, image, times[image]);
    micro[round] = drawn.micro();
    macro[round] = drawn.macro();
  }
  return {
    metrics: {
      f1_micro: { value: whole.micro(), ...percentileInterval(micro) },
      f1_macro: { value: whole.macro(), ...percentileInterval(macro) },
    },
    ofLabels: Array.from({ length: classes }, (_, label) => whole.of(label)),
  };
}
