/** Small networks in ONNX with random weights, made as MobileNetV2 and ResNet are. */
import { random } from "../../../../stages/shared/compute/random.ts";
import { modelOf, valueInfoOf } from "../../../../stages/shared/onnx/build.ts";
import { Builder, type Name } from "../../../../stages/shared/onnx/builder.ts";
import type { Model } from "../../../../stages/shared/onnx/model.ts";

/** A network while it grows. */
export class Network extends Builder {
  private readonly draw = random(1, "network");

  values(dims: number[], scale = 1, middle = 0): Name {
    const size = dims.reduce((product, length) => product * length, 1);
    return this.weights(
      dims,
      Float32Array.from({ length: size }, () => middle + scale * this.draw.normal()),
    );
  }

  /** A convolution with a bias; `pads` [top, left, bottom, right]. */
  conv(
    x: Name,
    from: number,
    to: number,
    {
      kernel = 1,
      stride = 1,
      group = 1,
      pads = [0, 0, 0, 0],
      name = undefined as Name | undefined,
      bias = true,
    } = {},
  ): Name {
    const weights = this.values(
      [to, from / group, kernel, kernel],
      Math.sqrt(2 / ((from / group) * kernel ** 2)),
    );
    const inputs = [x, weights, ...(bias ? [this.values([to], 0.1)] : [])];
    const strides = [stride, stride];
    return this.add("Conv", inputs, { kernel_shape: [kernel, kernel], strides, pads, group }, name);
  }

  norm(x: Name, channels: number): Name {
    const of = (scale: number, middle: number) => this.values([channels], scale, middle);
    return this.add("BatchNormalization", [x, of(0.1, 1), of(0.2, 0), of(0.2, 0), of(0.02, 1)], {
      epsilon: 1e-3,
    });
  }

  relu6(x: Name, name?: Name): Name {
    return this.add("Clip", [x, this.number(0), this.number(6)], {}, name);
  }

  /** The classifier behind the vectors of `features`. */
  model(x: Name, features: number, classes = 3): Model {
    this.add("Flatten", [x], { axis: 1 }, "features");
    this.add(
      "Gemm",
      ["features", this.values([classes, features]), this.values([classes])],
      { transB: 1 },
      "scores",
    );
    return modelOf({
      name: "test",
      node: this.node,
      initializer: this.initializer,
      input: [valueInfoOf("data", ["N", 3, "H", "W"])],
      output: [valueInfoOf("scores", ["N", classes])],
    });
  }
}

/** Inverted residuals with uneven pads, and one convolution in groups. Features: 16. */
export function smallMobileNet(): Model {
  const net = new Network();
  const uneven = [0, 0, 1, 1];
  let x = net.relu6(net.conv("data", 3, 8, { kernel: 3, stride: 2, pads: uneven }), "stem");
  x = net.relu6(net.conv(x, 8, 8, { kernel: 3, group: 8, pads: [1, 1, 1, 1] }));
  x = net.conv(x, 8, 4, { name: "thin" });
  let y = net.relu6(net.norm(net.conv(x, 4, 12, { bias: false }), 12), "inside");
  y = net.relu6(net.norm(net.conv(y, 12, 12, { kernel: 3, group: 12, pads: [1, 1, 1, 1] }), 12));
  x = net.add("Add", [net.conv(y, 12, 4), x], {}, "block");
  y = net.relu6(net.conv(x, 4, 12));
  y = net.relu6(net.conv(y, 12, 12, { kernel: 3, stride: 2, group: 12, pads: uneven }));
  x = net.conv(y, 12, 8);
  x = net.relu6(net.conv(x, 8, 16, { kernel: 3, group: 4, pads: [1, 1, 1, 1] }));
  return net.model(net.add("GlobalAveragePool", [x]), 16);
}

/** Residual blocks with batch norm, a max pool, a strided shortcut, and a norm before a relu. Features: 12. */
export function smallResNet(): Model {
  const net = new Network();
  const same = [1, 1, 1, 1];
  let x = net.add("Relu", [
    net.norm(net.conv("data", 3, 8, { kernel: 7, stride: 2, pads: [3, 3, 3, 3] }), 8),
  ]);
  x = net.add("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], pads: same }, "stem");
  let y = net.add("Relu", [net.norm(net.conv(x, 8, 8, { kernel: 3, pads: same, bias: false }), 8)]);
  y = net.norm(net.conv(y, 8, 8, { kernel: 3, pads: same, bias: false }), 8);
  x = net.add("Relu", [net.add("Add", [y, x])], {}, "layer1");
  y = net.add("Relu", [net.norm(net.conv(x, 8, 12, { kernel: 3, stride: 2, pads: same }), 12)]);
  y = net.norm(net.conv(y, 12, 12, { kernel: 3, pads: same }), 12);
  x = net.add("Add", [y, net.norm(net.conv(x, 8, 12, { stride: 2 }), 12)]);
  x = net.add("Relu", [net.norm(x, 12)], {}, "layer2");
  const pooled = net.add("AveragePool", [x], { kernel_shape: [2, 2], pads: [0, 0, 1, 1] });
  return net.model(net.add("GlobalAveragePool", [pooled]), 12);
}

/** A tensor with two names of which one is read twice, and batch norm behind a fully connected layer. Features: 6. */
export function smallAliases(): Model {
  const net = new Network();
  const stem = net.relu6(net.conv("data", 3, 8, { kernel: 3, stride: 2, pads: [1, 1, 1, 1] }), "stem");
  const other = net.add("Identity", [net.conv(stem, 8, 8)]);
  const sum = net.add("Add", [net.norm(other, 8), other], {}, "sum");
  const vector = net.add("Flatten", [net.add("GlobalAveragePool", [sum])], { axis: 1 });
  const dense = net.add("Gemm", [vector, net.values([6, 8]), net.values([6])], { transB: 1 });
  return net.model(net.norm(dense, 6), 6);
}
