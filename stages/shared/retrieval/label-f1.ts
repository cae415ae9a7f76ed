/** F1 of predicted sets of labels: kNN accuracy where images have several labels. */
import { hasLabel, setBytes } from "../artifacts/label-sets.ts";

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

  /** The mean over the labels that an image has. */
  macro(): number {
    const { right, wrong, missed } = this;
    let sum = 0;
    let labels = 0;
    for (let label = 0; label < right.length; label++) {
      if (right[label] + missed[label] === 0) continue;
      sum += f1(right[label], wrong[label], missed[label]);
      labels++;
    }
    return labels ? sum / labels : 0;
  }
}

const f1 = (right: number, wrong: number, missed: number): number => {
  const all = 2 * right + wrong + missed;
  return all ? (2 * right) / all : 0;
};
