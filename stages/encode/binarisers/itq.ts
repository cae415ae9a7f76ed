/**
 * Iterative quantisation: the principal components, turned so that they lie as near as can be to the corners of the
 * cube. In turn the codes are the signs of the turned components, and the rotation is the one that brings the
 * components nearest to the codes, an orthogonal Procrustes problem (Gong, Lazebnik, Gordo & Perronnin 2013,
 * section 2.2).
 */
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { project } from "../../shared/artifacts/projection.ts";
import { principalDirections } from "../../shared/compute/principal.ts";
import { defineBinariser } from "../binariser.ts";
import { centred, randomRotation } from "../rotation.ts";

export default defineBinariser({
  params: {
    iterations: { type: "integer", minimum: 0, default: 50, description: "turns; the paper takes 50" },
  },
  fit(sample, bits, random, params) {
    const { mean, directions } = principalDirections(sample, bits, random);
    const components = project(centred(directions, mean), sample.values);
    let rotation = randomRotation(bits, bits, random);
    for (let turn = 0; turn < params.iterations; turn++)
      rotation = nearestRotation(components, rotation, bits);
    return centred(directions.mmul(rotation), mean);
  },
});

/** The rotation R with the least |sign(V R_before) - V R|. @param components V, `[rows, bits]` */
function nearestRotation(components: Float32Array, before: Matrix, bits: number): Matrix {
  // A rotation is a projection without offset, its directions the columns.
  const turned = project(centred(before, new Float64Array(bits)), components);
  const cross = new Float64Array(bits * bits); // signsᵀ V
  for (let row = 0; row < components.length; row += bits)
    for (let i = 0; i < bits; i++) {
      const to = i * bits;
      if (turned[row + i] > 0) for (let j = 0; j < bits; j++) cross[to + j] += components[row + j];
      else for (let j = 0; j < bits; j++) cross[to + j] -= components[row + j];
    }
  const { leftSingularVectors, rightSingularVectors } = new SingularValueDecomposition(
    Matrix.from1DArray(bits, bits, Array.from(cross)),
  );
  return rightSingularVectors.mmul(leftSingularVectors.transpose());
}
