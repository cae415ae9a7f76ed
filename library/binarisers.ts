/**
 * Binarisers: vectors to binary codes, by a projection that is fitted without labels.
 *
 * @example
 * const projection = itq.fit({ values, rows, dim }, 64, random(1, "binariser"), { iterations: 50 });
 * const codes = packSigns(project(projection, values), 64);
 * @module
 */

export { type Binariser, defineBinariser, type Sample } from "../stages/encode/binariser.ts";
export { default as itq } from "../stages/encode/binarisers/itq.ts";
export { default as lsh } from "../stages/encode/binarisers/lsh.ts";
export { default as pcaSign } from "../stages/encode/binarisers/pca-sign.ts";
export { default as sign } from "../stages/encode/binarisers/sign.ts";
export { default as spectral } from "../stages/encode/binarisers/spectral.ts";
export { packSigns } from "../stages/shared/artifacts/codes.ts";
export {
  type Projection,
  project,
  readProjection,
  writeProjection,
} from "../stages/shared/artifacts/projection.ts";
export { startBackend } from "../stages/shared/compute/backend.ts";
export { type Random, random } from "../stages/shared/compute/random.ts";
export { defaultsOf } from "./params.ts";
