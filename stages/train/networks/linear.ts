/** One fully connected layer. */
import type * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { NetworkDefinition } from "../network.ts";

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
    return { model, train: (batch) => out.apply(batch) as tf.Tensor2D };
  },
} satisfies NetworkDefinition;
