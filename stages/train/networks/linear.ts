/** One fully connected layer. */
import * as layers from "@tensorflow/tfjs-layers";
import { applyDense, type NetworkDefinition } from "../network.ts";

export default {
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
} satisfies NetworkDefinition;
