/** Codes as discrete variables: bits near outputs that a linear classifier can read (Li, Sun, He & Tan 2017). */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
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
  // A bit a row: sums run along rows.
  const columns = Array.from({ length: bits }, (_, bit) =>
    Float64Array.from({ length: images }, (_, image) => codes[image * bits + bit]),
  );
  const targets = Array.from({ length: classes }, (_, c) =>
    Float64Array.from({ length: images }, (_, image) => flags[image * classes + c]),
  );
  const gram = new Matrix(columns.map((a, i) => columns.map((b, j) => dot(a, b) + (i === j ? nu : 0))));
  const cross = new Matrix(columns.map((a) => targets.map((b) => dot(a, b))));
  const solved = new CholeskyDecomposition(gram).solve(cross);
  return Array.from({ length: bits }, (_, i) => Float64Array.from(solved.getRow(i)));
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
};

/** Each bit of each image in turn, the others held: the sign of mu (y·w_k - Σ over other bits b_j w_j·w_k) + lambda u. */
function descendBits(
  codes: Float32Array,
  outputs: Float32Array,
  flags: Float32Array,
  weights: Float64Array[],
  lambda: number,
  mu: number,
): void {
  const bits = weights.length;
  const images = codes.length / bits;
  const classes = flags.length / images;
  const products = weights.map((a) => Float64Array.from(weights, (b) => dot(a, b)));
  for (let image = 0; image < images; image++) {
    const own = Float64Array.from(codes.subarray(image * bits, (image + 1) * bits));
    const y = Float64Array.from(flags.subarray(image * classes, (image + 1) * classes));
    for (let k = 0; k < bits; k++) {
      const others = dot(own, products[k]) - own[k] * products[k][k];
      own[k] = signOf(mu * (dot(y, weights[k]) - others) + lambda * outputs[image * bits + k]);
    }
    codes.set(own, image * bits);
  }
}

/** Σ |y - Wᵀ b|² + nu |W|². */
function misfit(codes: Float32Array, flags: Float32Array, weights: Float64Array[], nu: number): number {
  const bits = weights.length;
  const images = codes.length / bits;
  const classes = flags.length / images;
  let sum = nu * weights.reduce((all, row) => all + dot(row, row), 0);
  for (let image = 0; image < images; image++)
    for (let c = 0; c < classes; c++) {
      let score = 0;
      for (let k = 0; k < bits; k++) score += codes[image * bits + k] * weights[k][c];
      sum += (flags[image * classes + c] - score) ** 2;
    }
  return sum;
}
