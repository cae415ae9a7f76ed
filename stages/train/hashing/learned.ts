/** The state of the codes that a loss learns: see learned-codes.ts. */

/** The codes so far, as plain values that a checkpoint holds; a row is an image that a batch has had. */
export interface LearnedCodes {
  /** Rows in use: the arrays have room for more. */
  count: number;
  /** Batches that have entered. */
  steps: number;
  /** The row of each training image, or -1. */
  rows: Int32Array;
  labels: Int32Array;
  /** v, `[rows, bits]`, -1 or 1. */
  codes: Float32Array;
  /** u, `[rows, bits]` in (-1, 1): the outputs of an image when a batch last had it. */
  outputs: Float32Array;
  /** 1 for the rows that a batch has had since the codes were last found. */
  drawn: Uint8Array;
  /** Σ v vᵀ, `[bits, bits]`. */
  products: Float64Array;
  /** Σ of the codes of each class, `[classes, bits]`, and how many there are. */
  sums: Float64Array;
  sizes: Float64Array;
}
