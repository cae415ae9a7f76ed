/** One bit from each value, as it is: for embeddings that were trained for their signs. */
import { UserError } from "../../../runner/stage.ts";
import { defineBinariser } from "../binariser.ts";

export default defineBinariser({
  fit({ dim }, bits) {
    if (bits !== dim)
      throw new UserError(
        `encode: the binariser "sign" makes ${dim} bits of ${dim} values, but bits is ${bits}. Leave "bits" out, or take a binariser that projects (as itq).`,
      );
    const weights = new Float32Array(dim * dim);
    for (let i = 0; i < dim; i++) weights[i * dim + i] = 1;
    return { weights, offset: new Float32Array(dim), bits, dim };
  },
});
