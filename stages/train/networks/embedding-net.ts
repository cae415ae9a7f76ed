/**
 * siamese-triplet's EmbeddingNet: a small convolutional network on pixels.
 *
 * Two 5×5 convolutions of 32 and 64 channels, each with a 2×2 max pool and a PReLU, then fully connected layers of 256,
 * 256 and dim units, with PReLU between. The PReLU follows the pool instead of preceding it: as long as its slope is
 * not negative that is the same function for a quarter of the work.
 *
 * @equation
 * x → [conv 5×5 → pool 2×2 → prelu] × 2 → dense 256 → prelu → dense 256 → prelu → dense dim
 * @when Images are small (MNIST, Fashion-MNIST), and the network should learn from pixels without a backbone.
 * @source siamese-triplet's EmbeddingNet (https://github.com/adambielski/siamese-triplet)
 */
import type * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { firstConvolution, registerTrainingKernels } from "../engine/kernels.ts";
import { defineNetwork } from "../network.ts";

export default defineNetwork({
  takes: "images",
  build({ input, dim, seed }) {
    registerTrainingKernels();
    let next = seed;
    // Uniform in ±1/sqrt(inputs), PyTorch's default; biases at 0.
    const kernelInitializer = () =>
      layers.initializers.varianceScaling({
        scale: 1 / 3,
        mode: "fanIn",
        distribution: "uniform",
        seed: next++,
      });
    // One slope a channel.
    const prelu = (name: string, sharedAxes?: number[]) =>
      layers.layers.prelu({
        alphaInitializer: layers.initializers.constant({ value: 0.25 }),
        sharedAxes,
        name,
      });
    const convolution = (filters: number, index: number) => [
      layers.layers.conv2d({
        filters,
        kernelSize: 5,
        kernelInitializer: kernelInitializer(),
        name: `conv_${index}`,
      }),
      layers.layers.maxPooling2d({ poolSize: 2, name: `pool_${index}` }),
      prelu(`prelu_${index}`, [1, 2]),
    ];
    const dense = (units: number, name: string) =>
      layers.layers.dense({ units, kernelInitializer: kernelInitializer(), name });
    const chain = [
      ...convolution(32, 1),
      ...convolution(64, 2),
      layers.layers.flatten({ name: "flatten" }),
      dense(256, "dense_1"),
      prelu("prelu_3"),
      dense(256, "dense_2"),
      prelu("prelu_4"),
      dense(dim, "out"),
    ];
    const x = layers.input({ shape: input });
    const y = chain.reduce((h, layer) => layer.apply(h) as layers.SymbolicTensor, x);
    return {
      model: layers.model({ inputs: x, outputs: y }),
      train: (batch) =>
        chain
          .slice(1)
          .reduce(
            (h, layer) => layer.apply(h) as tf.Tensor,
            firstConvolution(chain[0], batch),
          ) as tf.Tensor2D,
    };
  },
});
