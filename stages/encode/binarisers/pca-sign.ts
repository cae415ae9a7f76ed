/** Signs of the principal components; rotated at random, so that each bit carries as much variance (Jégou 2010). */
import { principalDirections } from "../../shared/compute/principal.ts";
import { defineBinariser } from "../binariser.ts";
import { centred, randomRotation } from "../rotation.ts";

export default defineBinariser({
  params: {
    rotate: {
      type: "boolean",
      default: false,
      description: "turn the components at random before their signs are taken",
    },
  },
  fit(sample, bits, random, params) {
    const { mean, directions } = principalDirections(sample, bits, random);
    return centred(params.rotate ? directions.mmul(randomRotation(bits, bits, random)) : directions, mean);
  },
});
