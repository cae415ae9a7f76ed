/** A trainable network as a layer of tfjs, so that a model has its weights as any other's. */
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { variablesOf } from "../compute/variables.ts";
import { runTrainable } from "./run.ts";
import type { Trainable } from "./steps.ts";

/** The layer. Its weights are those of the network. */
export class TrainableLayer extends layers.layers.Layer {
  static className = "TrainableBackbone";
  private readonly network: Trainable;
  private readonly channelsFirst: boolean;
  private readonly outputLength: number;
  private made: ReturnType<layers.layers.Layer["addWeight"]>[] = [];

  /**
   * @param channelsFirst whether its inputs are `[batch, channels, height, width]`, as ONNX has them
   * @param outputLength of the vectors that come out
   */
  constructor(network: Trainable, channelsFirst: boolean, outputLength: number) {
    super({ name: "backbone" });
    this.network = network;
    this.channelsFirst = channelsFirst;
    this.outputLength = outputLength;
  }

  override build(): void {
    this.made = this.network.weights.map(({ name, shape, values, trainable }) =>
      this.addWeight(
        name.replaceAll(/[^A-Za-z0-9_.\-/]/g, "_"),
        shape,
        "float32",
        { apply: () => tf.tensor(values, shape) } as never,
        undefined,
        trainable,
      ),
    );
    this.built = true;
  }

  override computeOutputShape(): layers.Shape {
    return [null, this.outputLength];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const given = Array.isArray(inputs) ? inputs[0] : inputs;
    const x = this.channelsFirst ? tf.transpose(given, [0, 2, 3, 1]) : given;
    return runTrainable(this.network, x, this.variables());
  }

  /** The weights in the order of the network's own: `weights` of tfjs holds those that are frozen last. */
  variables(): tf.Variable[] {
    return variablesOf(this.made);
  }
}
