/**
 * Fully connected layers on features, with batch norm, ReLU and dropout.
 *
 * The last layer has none of the three.
 *
 * @equation
 * x → [dense → batch norm → relu → dropout] for each hidden layer → dense dim
 * @when Features of a frozen backbone train. It is the default. More hidden units and more steps help more than another
 * selector.
 * @source Ioffe & Szegedy 2015, "Batch normalization"; Srivastava et al. 2014, "Dropout"; weights start as in He et al.
 * 2015, "Delving deep into rectifiers"
 */
import * as layers from "@tensorflow/tfjs-layers";
import { hiddenLayer } from "../engine/hidden.ts";
import { applyDense, defineNetwork } from "../network.ts";

export default defineNetwork({
  takes: "features",
  params: {
    hidden: {
      type: "array",
      items: { type: "integer", minimum: 1 },
      default: [512],
      description: "units of each hidden layer",
    },
    dropout: {
      type: "number",
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.5,
      description: "share of the hidden units left out in a step",
    },
  },
  build({ input, dim, params, seed, random }) {
    const rate = params.dropout;
    const hidden = params.hidden.map((units, index) => ({
      dense: layers.layers.dense({
        units,
        useBias: false, // batch norm has one
        kernelInitializer: layers.initializers.heNormal({ seed: seed + index }),
        name: `dense_${index + 1}`,
      }),
      norm: layers.layers.batchNormalization({ momentum: 0.9, name: `norm_${index + 1}` }),
      relu: layers.layers.reLU({ name: `relu_${index + 1}` }),
    }));
    const out = layers.layers.dense({
      units: dim,
      kernelInitializer: layers.initializers.glorotUniform({ seed: seed + hidden.length }),
      name: "out",
    });
    const x = layers.input({ shape: input });
    let y = x;
    for (const { dense, norm, relu } of hidden)
      y = relu.apply(norm.apply(dense.apply(y))) as layers.SymbolicTensor;
    const model = layers.model({ inputs: x, outputs: out.apply(y) as layers.SymbolicTensor });
    return {
      model,
      train(batch) {
        let h = batch;
        for (const { dense, norm } of hidden) h = hiddenLayer(applyDense(dense, h), norm, rate, random);
        return applyDense(out, h);
      },
    };
  },
});
