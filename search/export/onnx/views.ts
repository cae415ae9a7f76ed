/** Images to what the backbone sees of them: the same resizing as the stage extract, as products of matrices. */

import type { Builder, Name } from "../../../stages/shared/onnx/builder.ts";
import type { View } from "../../../stages/shared/search-index.ts";

/**
 * The matrix `[to, from]` of bilinear resizing along one axis: half-pixel centres, edges repeated.
 * @param mirrored first and last exchanged
 */
export function resizing(from: number, to: number, mirrored = false): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(at);
    const weight = Math.fround(at - first);
    const row = (mirrored ? to - 1 - i : i) * from;
    matrix[row + first] += 1 - weight;
    matrix[row + Math.min(first + 1, from - 1)] += weight;
  }
  return matrix;
}

const transposed = (matrix: Float32Array, rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: matrix.length }, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]);

/**
 * The images as the backbone sees them in one view.
 * @param images `[count, 3, height, width]`, scaled
 * @returns `[count, 3, size, size]`; of a view with `flip` two, the second mirrored
 */
export function viewsOf(
  graph: Builder,
  images: Name,
  { height, width }: { height: number; width: number },
  { size, flip }: View,
): Name[] {
  const rows =
    height === size
      ? images
      : graph.add("MatMul", [graph.weights([size, height], resizing(height, size)), images]);
  return (flip ? [false, true] : [false]).map((mirrored) => {
    if (width === size && !mirrored) return rows;
    const columns = transposed(resizing(width, size, mirrored), size, width);
    return graph.add("MatMul", [rows, graph.weights([width, size], columns)]);
  });
}
