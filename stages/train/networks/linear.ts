/**
 * One fully connected layer on features.
 *
 * @equation
 * W x + c
 * @when The features need only a projection: few images, or a baseline for `mlp`.
 * @source Weights start as in Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
 * networks"
 */
import * as layers from "@tensorflow/tfjs-layers";
import { applyDense, defineNetwork } from "../network.ts";

export default defineNetwork({
  takes: "features",
  build({ input, dim, seed }) {
    const x = layers.input({ shape: input });
    const out = layers.layers.dense({
      units: dim,
      kernelInitializer: layers.initializers.glorotUniform({ seed }),
      name: "out",
    });
    const model = layers.model({ inputs: x, outputs: out.apply(x) as layers.SymbolicTensor });
    return { model, train: (batch) => applyDense(out, batch) };
  },
});
