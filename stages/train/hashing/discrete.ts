/** Codes as discrete variables: bits near outputs that a linear classifier can read (Li, Sun, He & Tan 2017). */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { onesOfWord } from "../../shared/retrieval/hamming/popcount.ts";
import { signOf } from "./quantisation.ts";

/** The weights of {@link discreteCodes}. */
export interface DiscreteWeights {
  /** Of |u - b|². */
  lambda: number;
  /** Of |y - W b|² + nu / images |W|². */
  mu: number;
  nu: number;
  /** How often W and b are found in turns. */
  turns: number;
}

/**
 * Codes b `[images, bits]`, from the signs of the outputs on, in turns with the classifier W of these codes.
 * @param outputs u, `[images, bits]`
 * @param flags y, `[images, classes]`
 * @returns also Σ over images of |y - W b|², plus nu |W|²
 */
export function discreteCodes(
  outputs: Float32Array,
  flags: Float32Array,
  bits: number,
  { lambda, mu, nu, turns }: DiscreteWeights,
): { codes: Float32Array; classified: number } {
  const codes = outputs.map(signOf);
  let weights = ridge(codes, flags, bits, nu);
  for (let turn = 0; turn < turns; turn++) {
    descendBits(codes, outputs, flags, weights, lambda, mu);
    weights = ridge(codes, flags, bits, nu);
  }
  return { codes, classified: misfit(codes, flags, weights, nu) };
}

/** W `[bits][classes]` with the least Σ |y - Wᵀ b|² + nu |W|². */
function ridge(codes: Float32Array, flags: Float32Array, bits: number, nu: number): Float64Array[] {
  const images = codes.length / bits;
  const classes = flags.length / images;
  const signs = packedBits(codes, bits);
  const gram = Matrix.zeros(bits, bits);
  for (let i = 0; i < bits; i++)
    for (let j = i; j < bits; j++) {
      let apart = 0;
      for (let word = 0; word < signs[i].length; word++) apart += onesOfWord(signs[i][word] ^ signs[j][word]);
      const product = images - 2 * apart + (i === j ? nu : 0);
      gram.set(i, j, product);
      gram.set(j, i, product);
    }
  const cross = Array.from({ length: bits }, () => new Float64Array(classes));
  forEachFlag(flags, images, (image, c, flag) => {
    for (let bit = 0; bit < bits; bit++) cross[bit][c] += codes[image * bits + bit] * flag;
  });
  const solved = new CholeskyDecomposition(gram).solve(new Matrix(cross));
  return Array.from({ length: bits }, (_, i) => Float64Array.from(solved.getRow(i)));
}

/** For each bit its values in all images, 32 in a word: an inner product of two is then a count of ones. */
function packedBits(codes: Float32Array, bits: number): Int32Array[] {
  const images = codes.length / bits;
  return Array.from({ length: bits }, (_, bit) => {
    const words = new Int32Array(Math.ceil(images / 32));
    for (let image = 0; image < images; image++)
      if (codes[image * bits + bit] > 0) words[image >> 5] |= 1 << (image & 31);
    return words;
  });
}

/** Calls `visit` for each label of each image. */
function forEachFlag(
  flags: Float32Array,
  images: number,
  visit: (image: number, label: number, flag: number) => void,
): void {
  const classes = flags.length / images;
  for (let at = 0; at < flags.length; at++)
    if (flags[at] !== 0) visit(Math.floor(at / classes), at % classes, flags[at]);
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
};

/**
 * Each bit of each image in turn, the others held: the sign of mu (y·w_k - Σ over other bits b_j w_j·w_k) + lambda u.
 * The sums over all bits are kept, and change where a bit does: most bits stay.
 */
export function descendBits(
  codes: Float32Array,
  outputs: Float32Array | Float64Array,
  flags: Float32Array,
  weights: Float64Array[],
  lambda: number,
  mu: number,
): void {
  const bits = weights.length;
  const images = codes.length / bits;
  // Four columns of products side by side: their sums do not wait for each other.
  const width = Math.ceil(bits / 4) * 4;
  const products = new Float64Array(bits * width);
  for (let j = 0; j < bits; j++)
    for (let k = 0; k < bits; k++) products[j * width + k] = dot(weights[j], weights[k]);
  // y·w_k
  const wanted = new Float64Array(images * bits);
  forEachFlag(flags, images, (image, c, flag) => {
    for (let k = 0; k < bits; k++) wanted[image * bits + k] += flag * weights[k][c];
  });
  const sums = new Float64Array(width);
  for (let image = 0, at = 0; image < images; image++) {
    for (let k = 0; k < width; k += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let j = 0, row = k; j < bits; j++, row += width) {
        const code = codes[at + j];
        s0 += code * products[row];
        s1 += code * products[row + 1];
        s2 += code * products[row + 2];
        s3 += code * products[row + 3];
      }
      sums[k] = s0;
      sums[k + 1] = s1;
      sums[k + 2] = s2;
      sums[k + 3] = s3;
    }
    for (let k = 0; k < bits; k++, at++) {
      const others = sums[k] - codes[at] * products[k * width + k];
      const found = signOf(mu * (wanted[at] - others) + lambda * outputs[at]);
      const change = found - codes[at];
      if (change === 0) continue;
      for (let j = 0; j < bits; j++) sums[j] += change * products[k * width + j];
      codes[at] = found;
    }
  }
}

/** Σ |y - Wᵀ b|² + nu |W|². */
function misfit(codes: Float32Array, flags: Float32Array, weights: Float64Array[], nu: number): number {
  const bits = weights.length;
  const images = codes.length / bits;
  const classes = flags.length / images;
  let sum = nu * weights.reduce((all, row) => all + dot(row, row), 0);
  const scores = new Float64Array(classes);
  for (let image = 0; image < images; image++) {
    scores.fill(0);
    for (let k = 0; k < bits; k++) {
      const [row, code] = [weights[k], codes[image * bits + k]];
      for (let c = 0; c < classes; c++) scores[c] += code * row[c];
    }
    for (let c = 0; c < classes; c++) sum += (flags[image * classes + c] - scores[c]) ** 2;
  }
  return sum;
}
